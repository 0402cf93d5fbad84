import { expect, test } from 'vitest';
import { inferenceRoute, otherRoute } from './route.ts';

test.each([
  ['/v1/models/m:predict', { model: 'm' }],
  ['/v1/models/home-equity/versions/12:predict', { model: 'home-equity', version: '12' }],
  ['/v1/models/m/labels/stable:classify', { model: 'm' }],
  ['/V1/Models/a%20b:Regress', { model: 'a b' }],
  ['/v1/models/%zz:predict', { model: '%zz' }],
  ['/v1/models/m:predict?x=1', undefined],
  ['/v1/models/m/versions/x:predict', undefined],
  ['/v1/models/m', undefined],
  ['/v2/models/m:predict', undefined],
])('POST %s', (target, route) => {
  expect(inferenceRoute('POST', target)).toEqual(route);
  expect(inferenceRoute('GET', target)).toBeUndefined();
});

test.each([
  ['GET', '/v1/models/m', 'status'],
  ['GET', '/v1/models/m/versions/1', 'status'],
  ['GET', '/v1/models/m/labels/l/metadata', 'metadata'],
  ['GET', '/monitoring/prometheus/metrics', 'metrics'],
  ['GET', '/', 'other'],
  ['POST', '/v1/models/m', 'other'],
])('%s %s counts as %s', (method, target, route) => {
  expect(otherRoute(method, target)).toBe(route);
});
