import { expect, it } from 'vitest';
import { readCredentials } from './credentials.ts';

const token = 'a-token-of-20-chars!';
const read = (value: unknown) => readCredentials(JSON.stringify(value));

it('takes credentials with a token, a secret, or both', () => {
  const credentials = [
    { name: 'monitor', role: 'approver', token },
    { name: 'sas.prod', role: 'approver', secret: token },
    { name: 'ops', role: 'admin', token: `${token}2`, secret: token },
  ];
  expect(read(credentials)).toEqual({ value: credentials });
  expect(readCredentials(undefined)).toEqual({ value: [] });
});

it.each([
  ['no list', {}, 'it: Invalid input: expected array'],
  ['an unknown role', [{ name: 'a', role: 'root', token }], '0.role: Invalid option'],
  ['nothing to prove itself by', [{ name: 'a', role: 'viewer' }], '0: needs a token, a secret, or both'],
  ['a short token', [{ name: 'a', role: 'viewer', token: 'hush' }], '0.token: must have at least 16 characters'],
  ['a name with a space', [{ name: 'a b', role: 'viewer', token }], '0.name: must be 1 to 63'],
  [
    'a name twice',
    [
      { name: 'a', role: 'viewer', token },
      { name: 'a', role: 'admin', secret: token },
    ],
    'the name a twice',
  ],
  ['the name of WRITER_TOKEN', [{ name: 'writer', role: 'viewer', token }], 'the name writer twice'],
  [
    'a token twice',
    [
      { name: 'a', role: 'viewer', token },
      { name: 'b', role: 'admin', token },
    ],
    'has a token twice',
  ],
])('refuses %s in a sentence that holds no secret', (_, value, problem) => {
  const answer = read(value) as { problem: string };
  expect(answer.problem).toContain(problem);
  expect(answer.problem).not.toContain(token);
  expect(answer.problem).not.toContain('hush');
});

it('refuses what is no JSON', () => {
  expect(readCredentials('name=a')).toEqual({ problem: expect.stringMatching(/^must be JSON/) });
});
