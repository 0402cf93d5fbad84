import { createHash, createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import type { Nonces } from '../../ports.ts';
import { authenticator, checkRole } from './authenticate.ts';

const NOW = 1_800_000_000;
const SECRET = 'secret-of-the-workflow';
const credentials = [
  { name: 'writer', role: 'admin', token: 'token-of-the-writer' },
  { name: 'sas', role: 'approver', secret: SECRET },
  { name: 'eyes', role: 'viewer', token: 'token-of-the-viewer' },
] as const;

/** Nonces as the store keeps them, without forgetting. */
function memory(): Nonces {
  const seen = new Set<string>();
  return {
    use: (key, nonce) => {
      const mark = `${key} ${nonce}`;
      const first = !seen.has(mark);
      seen.add(mark);
      return Promise.resolve(first);
    },
  };
}

type Change = { key?: string; timestamp?: string; nonce?: string; secret?: string; target?: string; signed?: string };

/** A signed request, by the documented words and not by our own code. */
function request(body: string, change: Change = {}) {
  const { key = 'sas', timestamp = String(NOW), nonce = 'nonce-0123456789', secret = SECRET } = change;
  const target = change.target ?? '/v1/approvals?x=1';
  const hash = createHash('sha256').update(body).digest('hex');
  const text = change.signed ?? `POST\n/v1/approvals?x=1\n${timestamp}\n${nonce}\n${hash}`;
  const signature = `v1=${createHmac('sha256', secret).update(text).digest('hex')}`;
  const headers = {
    'x-fairway-key': key,
    'x-fairway-timestamp': timestamp,
    'x-fairway-nonce': nonce,
    'x-fairway-signature': signature,
  };
  return { method: 'POST', target, headers };
}

const authenticate = (nonces = memory()) => authenticator(credentials, nonces, { now: () => NOW * 1000 });

it('knows who sends which token', async () => {
  const ask = (authorization: string) =>
    authenticate()({ method: 'GET', target: '/', headers: { authorization } })(Buffer.alloc(0));
  expect(await ask('Bearer token-of-the-writer')).toEqual({ name: 'writer', role: 'admin' });
  expect(await ask('bearer token-of-the-viewer ')).toEqual({ name: 'eyes', role: 'viewer' });
  for (const wrong of [
    '',
    'Bearer',
    'Bearer x',
    'Basic token-of-the-writer',
    `Bearer ${SECRET}`,
    'token-of-the-writer',
  ]) {
    expect(() => ask(wrong)).toThrow(/Send Authorization: Bearer/);
  }
});

it('believes a signature over method, target, time, nonce and body, once', async () => {
  const claim = authenticate();
  const signed = request('{"a":1}');
  expect(await claim(signed)(Buffer.from('{"a":1}'))).toEqual({ name: 'sas', role: 'approver' });
  await expect(claim(signed)(Buffer.from('{"a":1}'))).rejects.toThrow(/nonce in x-fairway-nonce was used before/);
  const again = request('{"a":1}', { nonce: 'nonce-of-another-try' });
  expect(await claim(again)(Buffer.from('{"a":1}'))).toMatchObject({ name: 'sas' });
});

it.each<[string, Change, string]>([
  ['another body', {}, '{"a":2}'],
  ['another path', { target: '/v1/changes' }, '{}'],
  ['another secret', { secret: 'guessed-guessed-guessed' }, '{}'],
  ['an unknown key', { key: 'nobody' }, '{}'],
  ['an unknown key and the empty secret', { key: 'nobody', secret: '' }, '{}'],
  ['a key that has only a token', { key: 'eyes', secret: 'token-of-the-viewer' }, '{}'],
  ['a signature without the body', { signed: `POST\n/v1/approvals?x=1\n${NOW}\nnonce-0123456789\n` }, '{}'],
])('refuses %s with one sentence, and keeps the nonce', async (what, change, sent) => {
  const claim = authenticate();
  const body = what === 'another body' ? '{"a":1}' : sent;
  await expect(claim(request(body, change))(Buffer.from(sent))).rejects.toThrow(/is not the signature of this request/);
  expect(await claim(request('{}'))(Buffer.from('{}'))).toMatchObject({ name: 'sas' });
});

it.each([
  ['five minutes old', { timestamp: String(NOW - 301) }, /seconds since 1970/],
  ['five minutes ahead', { timestamp: String(NOW + 301) }, /seconds since 1970/],
  ['without a time', { timestamp: '' }, /seconds since 1970/],
  ['with a time in words', { timestamp: '2026-11-22T00:00:00Z' }, /seconds since 1970/],
  ['with a short nonce', { nonce: 'short' }, /16 to 64/],
  ['with a long nonce', { nonce: 'n'.repeat(65) }, /16 to 64/],
])('refuses a request %s before its body is read', (_, change, sentence) => {
  expect(() => authenticate()(request('{}', change))).toThrow(sentence);
});

it('lets each role do what the ones before it may', () => {
  const caller = (role: 'viewer' | 'approver' | 'admin') => ({ name: 'x', role });
  expect(() => checkRole(caller('admin'), 'viewer', 'it')).not.toThrow();
  expect(() => checkRole(caller('approver'), 'approver', 'it')).not.toThrow();
  expect(() => checkRole(caller('viewer'), 'approver', 'POST /v1/approvals')).toThrow(
    'Credential x has role viewer, and POST /v1/approvals needs approver',
  );
});
