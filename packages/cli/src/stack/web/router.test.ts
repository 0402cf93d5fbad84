import { describe, expect, it } from 'vitest';
import { findRoute, matchPath, type Route } from './router.ts';

const route = (method: Route['method'], path: string): Route => ({ method, path, answer: () => ({ status: 200 }) });

describe('matchPath', () => {
  it.each([
    ['/a/:b', '/a/x', { b: 'x' }],
    ['/a/:b', '/a/x%2Fy', { b: 'x/y' }],
    ['/a/:b', '/a/', undefined],
    ['/a/:b', '/a/x/y', undefined],
    ['/a/*b', '/a/x/y%20z', { b: 'x/y z' }],
    ['/a/:b/*c', '/a/main/f%2Fx', { b: 'main', c: 'f/x' }],
    ['/a', '/a%', undefined],
    ['/', '/', {}],
  ])('%s %s', (pattern, path, params) => {
    expect(matchPath(pattern, path)).toEqual(params);
  });
});

describe('findRoute', () => {
  const routes = [route('GET', '/a/:b'), route('POST', '/a/:b'), route('GET', '/a/*rest')];
  it('takes the first that fits, HEAD as GET', () => {
    expect(findRoute(routes, 'HEAD', '/a/x')).toEqual({ route: routes[0], params: { b: 'x' } });
    expect(findRoute(routes, 'GET', '/a/x/y')).toEqual({ route: routes[2], params: { rest: 'x/y' } });
  });
  it('tells a wrong method from an unknown path', () => {
    expect(findRoute(routes, 'DELETE', '/a/x')).toBe('method');
    expect(findRoute(routes, 'GET', '/b')).toBeUndefined();
  });
});
