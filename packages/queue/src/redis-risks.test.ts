import { expect, test } from 'vitest';
import { redisRisks, riskSentence } from './redis-risks.ts';

const info = (policy: string, most: number, aof: number) =>
  `# Memory\r\nused_memory:100\r\nmaxmemory:${most}\r\nmaxmemory_human:1M\r\nmaxmemory_policy:${policy}\r\n# Persistence\r\naof_enabled:${aof}\r\n`;

test.each([
  ['as it should be', info('noeviction', 1_000_000, 1), []],
  ['evicting', info('allkeys-lru', 1_000_000, 1), ['evicts']],
  ['with defaults', info('noeviction', 0, 0), ['unbounded', 'volatile']],
  ['behind a service that hides its fields', '# Server\r\nredis_version:7.2\r\n', []],
])('a Redis %s', (_, text, risks) => {
  expect(redisRisks(text)).toEqual(risks);
});

test('each risk says what to set', () => {
  for (const risk of redisRisks(info('volatile-lru', 0, 0))) expect(riskSentence(risk)).toMatch(/[Ss]et /);
});
