import fc from 'fast-check';
import { expect, test } from 'vitest';
import { branchName, changeId, checkName, checkVersion, dayOfId, hashFields, timedId } from './ids.ts';

const key = {
  kind: 'deploy',
  model: 'home-equity',
  version: '1',
  digest: 'sha256:ab',
  environment: 'prod',
  event: 'e1',
} as const;

test('a change id depends on every field and on nothing else', () => {
  const id = changeId(key);
  expect(id).toMatch(/^[0-9a-f]{20}$/);
  expect(changeId({ ...key })).toBe(id);
  for (const field of ['kind', 'model', 'version', 'digest', 'environment', 'event'] as const) {
    expect(changeId({ ...key, [field]: 'rollback' })).not.toBe(id);
  }
  expect(branchName(key, id)).toBe(`fairway/deploy/home-equity/prod/${id}`);
});

test('fields never run into each other', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 4 }), fc.array(fc.string(), { maxLength: 4 }), (a, b) => {
      expect(hashFields(a) === hashFields(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
  );
});

test.each(['', '-a', 'a-', 'A', 'a..b', 'a/b', 'a:b', 'a\nb', 'ä', 'a'.repeat(64), '--upload-pack=x'])(
  'the name %j is refused',
  (name) => {
    expect(() => checkName('Model', name)).toThrow(/Model .* is not usable: use 1 to 63/);
  },
);

test.each(['0', '01', '-1', '1.0', 'latest', '', '1'.repeat(19)])('the version %j is refused', (version) => {
  expect(() => checkVersion(version)).toThrow(/positive whole number/);
});

test('usable names and versions pass unchanged', () => {
  expect(checkName('Model', 'home-equity')).toBe('home-equity');
  expect(checkVersion('20261122')).toBe('20261122');
});

test('an id made from a time and a hash names the day and is the same again', () => {
  const at = Date.parse('2026-11-22T23:59:59.999Z');
  const hash = hashFields(['a']);
  const id = timedId(at, hash);
  expect(id).toMatch(/^[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
  expect(timedId(at, hash)).toBe(id);
  expect(timedId(at, hashFields(['b']))).not.toBe(id);
  expect(dayOfId(id)).toBe('2026-11-22');
  expect(dayOfId(`${id}-17`)).toBe('2026-11-22');
});

test('a day is named as the pattern of the ids says', () => {
  const dated = /^[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}(?:-\d+)?$/;
  const id = timedId(Date.UTC(2026, 10, 22, 23, 59), 'abcdef0123456789abcdef0123456789');
  const change = fc.tuple(
    fc.nat(34),
    fc.nat(2),
    fc.oneof(fc.string({ maxLength: 2 }), fc.constantFrom('-', '0', 'A', 'g', '-1')),
  );
  fc.assert(
    fc.property(change, ([at, cut, put]) => {
      const changed = `${id}-17`.slice(0, at) + put + `${id}-17`.slice(at + cut);
      const ms = Number.parseInt(changed.slice(0, 12), 16);
      const day = dated.test(changed) && ms < 253_402_300_800_000 ? new Date(ms).toISOString().slice(0, 10) : undefined;
      expect(dayOfId(changed)).toBe(day);
    }),
    { numRuns: 2000, seed: 5 },
  );
});

test.each(['', 'loan-17', 'f'.repeat(32), `${'0'.repeat(12)}4${'0'.repeat(19)}`, `ffffffffffff7000a${'0'.repeat(15)}`])(
  'the id %j names no day',
  (id) => {
    expect(dayOfId(id)).toBeUndefined();
  },
);
