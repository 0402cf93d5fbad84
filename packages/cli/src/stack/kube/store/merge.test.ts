import { describe, expect, it } from 'vitest';
import { jsonPatch } from './json-patch.ts';
import { mergePatch, strategicMerge, threeWayMerge } from './merge.ts';

const pod = (...containers: object[]) => ({ spec: { containers } });

describe('mergePatch', () => {
  it.each([
    [{ a: 1, b: 2 }, { b: null }, { a: 1 }],
    [{ a: { b: 1 } }, { a: { c: 2 } }, { a: { b: 1, c: 2 } }],
    [{ a: [1, 2] }, { a: [3] }, { a: [3] }],
    [{ a: 1 }, { b: { c: null } }, { a: 1, b: {} }],
  ])('%j + %j = %j', (target, patch, result) => expect(mergePatch(target, patch)).toEqual(result));

  it('treats __proto__ as data', () => {
    const patched = mergePatch({}, JSON.parse('{"__proto__":{"bad":true}}')) as object;
    expect(Object.getPrototypeOf(patched)).toBe(Object.prototype);
    expect('bad' in patched).toBe(false);
  });
});

describe('jsonPatch', () => {
  it.each([
    [[{ op: 'add', path: '/l/1', value: 9 }], { l: [1, 9, 2], m: { 'a/b': 1 } }],
    [[{ op: 'add', path: '/l/-', value: 9 }], { l: [1, 2, 9], m: { 'a/b': 1 } }],
    [[{ op: 'remove', path: '/m/a~1b' }], { l: [1, 2], m: {} }],
    [
      [
        { op: 'test', path: '/l/0', value: 1 },
        { op: 'replace', path: '/l/0', value: 5 },
      ],
      { l: [5, 2], m: { 'a/b': 1 } },
    ],
    [[{ op: 'move', from: '/m', path: '/n' }], { l: [1, 2], n: { 'a/b': 1 } }],
  ])('%j', (operations, result) => expect(jsonPatch({ l: [1, 2], m: { 'a/b': 1 } }, operations)).toEqual(result));

  it.each([
    [{ op: 'test', path: '/l/0', value: 2 }],
    [{ op: 'remove', path: '/x' }],
    [{ op: 'replace', path: '/x', value: 1 }],
  ])('refuses %j', (operation) => expect(() => jsonPatch({ l: [1] }, [operation])).toThrow());
});

describe('strategicMerge', () => {
  it('merges containers by name and keeps the others', () => {
    const live = pod({ name: 'a', image: '1' }, { name: 'b', image: '1' });
    expect(strategicMerge(live, pod({ name: 'b', image: '2' }))).toEqual(
      pod({ name: 'a', image: '1' }, { name: 'b', image: '2' }),
    );
  });
  it('removes an item marked $patch: delete and ignores element order', () => {
    const patch = {
      spec: { '$setElementOrder/containers': [{ name: 'a' }], containers: [{ name: 'b', $patch: 'delete' }] },
    };
    expect(strategicMerge(pod({ name: 'a' }, { name: 'b' }), patch)).toEqual(pod({ name: 'a' }));
  });
  it('tells ports of a container from ports of a service', () => {
    const live = { ports: [{ port: 80, targetPort: 1 }] };
    expect(strategicMerge(live, { ports: [{ port: 80, name: 'x' }] })).toEqual({
      ports: [{ port: 80, targetPort: 1, name: 'x' }],
    });
  });
});

describe('threeWayMerge', () => {
  const live = { a: 1, added: true, list: [{ name: 'x' }] };
  it.each([
    ['keeps what others added', { a: 1 }, { a: 2 }, { a: 2, added: true, list: [{ name: 'x' }] }],
    ['removes what we applied before', { a: 1 }, {}, { added: true, list: [{ name: 'x' }] }],
  ])('%s', (_, original, desired, result) => expect(threeWayMerge(original, desired, live)).toEqual(result));

  it('leaves defaults inside list items alone, so an unchanged manifest makes no difference', () => {
    const applied = pod({ name: 'a', env: [{ name: 'X', value: '1' }] });
    const running = pod({ name: 'a', imagePullPolicy: 'Always', env: [{ name: 'X', value: '1' }] });
    expect(threeWayMerge(applied, applied, running)).toEqual(running);
  });
  it('drops a container that left the manifest and keeps an injected one', () => {
    const running = pod({ name: 'a' }, { name: 'old' }, { name: 'injected' });
    expect(threeWayMerge(pod({ name: 'a' }, { name: 'old' }), pod({ name: 'a' }), running)).toEqual(
      pod({ name: 'a' }, { name: 'injected' }),
    );
  });
});
