import { expect, test } from 'vitest';
import { accountLines, type EpochRow, isWhole, withAgents } from './account-text.ts';

const row: EpochRow = {
  model: 'loans',
  agent: 'pod-1',
  epoch: '0123456789abcdef',
  captured: 15_000,
  recorded: 14_000,
  predictions: 28_000,
  quarantined: 1,
  sampledOut: 900,
  dropped: { spool_full: 99 },
  inFlight: 0,
  unexplained: 0,
};
const ledger = { since: '2026-11-22T08:00:00.000Z', epochs: [row], gaps: [], labels: { waiting: 0, expired: 0 } };

test('says in one sentence that everything is accounted for, and what is not known', () => {
  const lines = accountLines(withAgents(ledger, []));
  expect(lines.at(-1)).toBe('Every one of 15,000 captured calls is accounted for; 28,000 predictions are stored.');
  expect(lines.at(-2)).toContain('no agent was asked');
  expect(lines).toContain('Dropped: 99 spool_full.');
  expect(lines.join('\n')).toMatch(/loans +pod-1 +0123456789ab +15,000 +14,000 +900 +99 +1 +0 +0/);
});

test('adds what agents still hold, once, and names those that do not answer', () => {
  const held = [
    { url: 'http://a', epoch: row.epoch, inFlight: 7 },
    { url: 'http://b', epoch: 'new', inFlight: 3 },
  ];
  const whole = withAgents({ ...ledger, epochs: [{ ...row, captured: 15_002, inFlight: 2 }] }, held);
  expect(whole.epochs.map(({ captured, inFlight }) => [captured, inFlight])).toEqual([
    [15_007, 7],
    [3, 3],
  ]);
  expect(accountLines(whole).at(-2)).toBe('In flight is what 2 agents and the queue still hold.');
  expect(accountLines(withAgents(ledger, [{ url: 'http://c' }])).at(-2)).toBe(
    'What they still hold is not known of http://c: no answer.',
  );
});

test('tells of a loss without a reason, with its gap', () => {
  const gap = { agent: 'pod-1', epoch: row.epoch, firstMissing: 201, lastMissing: 205, unexplained: 5 };
  const whole = withAgents({ ...ledger, epochs: [{ ...row, unexplained: 5 }], gaps: [gap] }, []);
  expect(isWhole(whole)).toBe(false);
  const lines = accountLines(whole);
  expect(lines).toContain('Gap: pod-1 0123456789ab, calls 201 to 205: 5 without a reason.');
  expect(lines.at(-1)).toContain('5 of 15,000 captured calls are lost without a counted reason');
});
