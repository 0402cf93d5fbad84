import { expect, test } from 'vitest';
import { SERVICE_ACCOUNT } from '../kinds.ts';
import type { Registry } from '../store/registry.ts';
import type { ApiCall } from './resources.ts';
import { accountUser, usersOf } from './users.ts';

const NOW = Date.parse('2026-11-23T10:00:00Z');
const registry = {
  get: (_: unknown, namespace: string, name: string) =>
    namespace === 'n' && name === 'a' ? { metadata: { name, namespace, uid: 'u' } } : undefined,
} as unknown as Registry;
const users = usersOf(registry, 'admin-token', { now: () => NOW });
const ask = (body: string) =>
  users.token({
    target: { kind: SERVICE_ACCOUNT, namespace: 'n', name: 'a', subresource: 'token' },
    body: Buffer.from(body),
  } as ApiCall);

test('a token is for its account, an hour long where nothing is said', () => {
  const { code, body } = ask('');
  const { token, expirationTimestamp } = (body as { status: { token: string; expirationTimestamp: string } }).status;
  expect([code, expirationTimestamp]).toEqual([201, '2026-11-23T11:00:00Z']);
  expect(users.of(token)).toEqual(accountUser('n', 'a'));
  expect(() => users.of(`${token}x`)).toThrow('Unauthorized');
});

test.each([
  ['{"spec": {"expirationSeconds": 10}}', 'may not specify a duration less than 10 minutes'],
  ['{"spec"', 'the request body cannot be read'],
])('a request for a token that is %s is refused', (body, words) => {
  expect(() => ask(body)).toThrow(words);
});

test('a body that is no object asks for nothing in particular', () => {
  expect(ask('null').code).toBe(201);
});
