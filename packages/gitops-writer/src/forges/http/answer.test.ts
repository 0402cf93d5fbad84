import { expect, it } from 'vitest';
import { z } from 'zod';
import { parsed, refused, saying } from './answer.ts';

it.each([
  [{ message: 'Not Found', documentation_url: 'https://docs.example.com' }, 'Not Found'],
  [
    { message: 'Validation Failed', errors: [{ resource: 'PullRequest', code: 'custom', message: 'No commits' }] },
    'Validation Failed; No commits',
  ],
  [{ message: 'Validation Failed', errors: [{ field: 'head', code: 'invalid' }] }, 'Validation Failed; head invalid'],
  [{ message: ['Another open merge request already exists: !5'] }, 'Another open merge request already exists: !5'],
  [{ message: { title: ['is too long'], base: ['is bad'] } }, 'title is too long; base is bad'],
  [{ error: 'invalid_token', error_description: 'Token was revoked.' }, 'invalid_token; Token was revoked.'],
  ['<html>\n  gone</html>', '<html> gone</html>'],
  [{ message: 'token 0123456789abcdef is bad' }, 'token [redacted] is bad'],
  [{ message: 'x'.repeat(900) }, 'x'.repeat(300)],
  [undefined, 'no reason given'],
  [{ message: '' }, 'no reason given'],
])('says %j as %s', (data, words) => expect(saying(data)).toBe(words));

it.each([
  [301, 'retryable', 'it points to https://new.example.com'],
  [401, 'retryable', 'FORGE_TOKEN'],
  [403, 'retryable', 'docs/guide.md'],
  [404, 'retryable', 'FORGE_REPOSITORY'],
  [409, 'terminal', 'see the forge'],
  [422, 'terminal', 'see the forge'],
])('a refusal with %i is %s and says how to mend it', (status, disposition, mend) => {
  const headers = { location: 'https://new.example.com/x?token=secret' };
  const error = refused('the reading of it', { status, headers, data: { message: 'No.' } });
  expect(error).toMatchObject({ code: 'forge.refused', disposition });
  expect(error.message).toContain(mend);
  expect(error.message).not.toContain('secret');
});

it('takes what is not the API for a forge that cannot be used', () => {
  const answer = { status: 200, headers: {}, data: '<html>Sign in</html>' };
  expect(() => parsed(z.object({ number: z.int() }), 'the reading of it', answer)).toThrowError(
    /check FORGE and FORGE_URL/,
  );
});
