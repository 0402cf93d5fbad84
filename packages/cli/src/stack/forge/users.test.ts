import { describe, expect, it } from 'vitest';
import { readUsers } from './users.ts';

const users = readUsers(
  JSON.stringify([
    { name: 'alice', token: 'alice-token', admin: true, person: true },
    { name: 'bot', token: 'bot-token' },
  ]),
);
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

describe('authenticate', () => {
  it.each([
    ['token alice-token', 'alice'],
    ['Bearer bot-token', 'bot'],
    ['bearer bot-token', 'bot'],
    [basic('alice:alice-token'), 'alice'],
    [basic('whoever:bot-token'), 'bot'],
    [basic('bot-token:x-oauth-basic'), 'bot'],
    [basic('bot-token:'), 'bot'],
  ])('%s is %s', (header, name) => {
    expect(users.authenticate(header)).toMatchObject({ name });
  });

  it.each(['token nope', 'Bearer', 'Digest alice-token', basic('alice:wrong'), basic('alice'), basic(':')])(
    '%s is wrong',
    (header) => {
      expect(users.authenticate(header)).toBe('wrong');
    },
  );

  it('nothing is nobody', () => {
    expect(users.authenticate(undefined)).toBe('anonymous');
  });
});

it.each([
  'no json',
  '{}',
  '[{"name":"a"}]',
  '[{"name":"a","token":"short"}]',
  '[{"name":"a/b","token":"long-enough"}]',
  '[{"name":"a","token":"long-enough"},{"name":"a","token":"long-enough-too"}]',
])('refuses %s with a sentence', (text) => {
  expect(() => readUsers(text)).toThrow('FORGE_USERS_FILE must hold a list');
});
