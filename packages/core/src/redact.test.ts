import { expect, test } from 'vitest';
import { redact, urlOrigin } from './redact.ts';

test.each([
  ['postgres://user:pa55@db:5432/x refused', 'postgres://[redacted]@db:5432/x refused'],
  [
    'POST https://prod.example.com/workflows/1/invoke?api-version=1&sig=abc failed',
    'POST https://prod.example.com/workflows/1/invoke?[redacted] failed',
  ],
  ['Authorization: Bearer abcdefgh12345', 'Authorization: Bearer [redacted]'],
  ['token 0123456789abcdef', 'token [redacted]'],
  ['nothing secret at https://example.com/a', 'nothing secret at https://example.com/a'],
])('%s', (text, expected) => expect(redact(text)).toBe(expected));

test('known secrets go wherever they stand', () => {
  expect(redact('key=hunter22;', ['hunter22'])).toBe('key=[redacted];');
});

test('an origin holds neither user nor path nor query', () => {
  expect(urlOrigin('https://u:p@host:8443/path?sig=1')).toBe('https://host:8443');
  expect(urlOrigin('not a url')).toBe('[url]');
});
