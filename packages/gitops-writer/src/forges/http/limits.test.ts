import { describe, expect, it } from 'vitest';
import { limitOf, retryAfter } from './limits.ts';

const NOW = Date.parse('2026-11-02T10:00:00Z');
const seconds = (after: number) => String(NOW / 1_000 + after);
const SECONDARY = '{"message":"You have exceeded a secondary rate limit. Please wait."}';

describe('what an answer says about limits', () => {
  it.each([
    ['nothing', 200, {}, '', { limited: false }],
    ['calls left', 200, { 'x-ratelimit-remaining': '3', 'x-ratelimit-reset': seconds(60) }, '', { limited: false }],
    [
      'the last call of the hour',
      200,
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': seconds(60), 'x-ratelimit-resource': 'core' },
      '',
      { limited: false, resource: 'core', waitMs: 61_000 },
    ],
    [
      'GitHub: exhausted',
      403,
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': seconds(600), 'x-ratelimit-resource': 'graphql' },
      'API rate limit exceeded',
      { limited: true, resource: 'graphql', waitMs: 601_000 },
    ],
    ['GitHub: secondary with retry-after', 403, { 'retry-after': '37' }, SECONDARY, { limited: true, waitMs: 37_000 }],
    ['GitHub: secondary without', 403, { 'x-ratelimit-remaining': '12' }, SECONDARY, { limited: true }],
    [
      'GitHub: too many new ones',
      422,
      { 'x-ratelimit-remaining': '12' },
      '{"message":"was submitted too quickly"}',
      { limited: true },
    ],
    ['a field that is wrong', 422, { 'x-ratelimit-remaining': '12' }, 'Validation Failed', { limited: false }],
    ['a missing right', 403, { 'x-ratelimit-remaining': '12' }, 'Resource not accessible', { limited: false }],
    [
      'GitLab',
      429,
      { 'ratelimit-remaining': '0', 'ratelimit-reset': seconds(5) },
      '',
      { limited: true, waitMs: 6_000 },
    ],
    [
      'a reset as a delta',
      429,
      { 'ratelimit-remaining': '0', 'ratelimit-reset': '9' },
      '',
      { limited: true, waitMs: 10_000 },
    ],
    ['429 and no more', 429, {}, 'slow down', { limited: true }],
    [
      'retry-after wins',
      429,
      { 'retry-after': '2', 'ratelimit-remaining': '0', 'ratelimit-reset': seconds(50) },
      '',
      { limited: true, waitMs: 2_000 },
    ],
    [
      'nonsense',
      429,
      { 'ratelimit-remaining': 'x', 'ratelimit-reset': 'y', 'retry-after': 'z' },
      '',
      { limited: true },
    ],
    [
      'a reset that has passed',
      200,
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': seconds(-50) },
      '',
      { limited: false, waitMs: 0 },
    ],
  ] as const)('%s', (_name, status, headers, text, expected) => {
    expect(limitOf(status, headers, text, NOW)).toEqual(expected);
  });

  it('counts from the clock of the server', () => {
    const headers = {
      date: new Date(NOW + 3_000_000).toUTCString(),
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': seconds(3_010),
    };
    expect(limitOf(200, headers, '', NOW).waitMs).toBe(11_000);
  });
});

it.each([
  [undefined, undefined],
  ['', undefined],
  ['5', 5_000],
  ['0', 0],
  ['-5', undefined],
  ['99999999', 3_600_000],
  ['Mon, 02 Nov 2026 10:01:00 GMT', 60_000],
  ['Mon, 02 Nov 2026 09:00:00 GMT', 0],
  ['soon', undefined],
])('retry-after %s is %s ms', (raw, expected) => expect(retryAfter(raw, NOW)).toBe(expected));
