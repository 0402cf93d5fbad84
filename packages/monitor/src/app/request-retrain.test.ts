import { type Change, FairwayError, type RetrainRequest, silentLogger, type Verdict } from '@fairway/core';
import { expect, test } from 'vitest';
import { parsePolicy } from '../policy/parse.ts';
import type { DecidedRetrain, DueItem, ModelSummary, Reference, Settlement } from '../ports.ts';
import { requestRetrain, type RetrainNeeds } from './request-retrain.ts';

const POLICY = `apiVersion: fairway.dev/v1
kind: Policy
model: m
period: { every: quarter, coverageFloor: 0.8 }
minimum: { rows: 1, events: 1, rowsPerBin: 1 }
rules: [{ id: a, metric: auc, op: '<', limit: 0.7, severity: alert }]
retrain: { on: alert, cooldown: P14D }
notify: { on: [alert] }
`;
const NOW = Date.parse('2026-01-20T00:00:00Z');
const STARTS: Readonly<Record<string, string>> = {
  '2025Q3': '2025-07-01T00:00:00.000Z',
  '2025Q4': '2025-10-01T00:00:00.000Z',
  '2026Q1': '2026-01-01T00:00:00.000Z',
};

const verdict = (period: string, state: Verdict['state'], version = '1'): Verdict =>
  ({
    id: period,
    window: {
      model: 'm',
      version,
      environment: 'prod',
      period,
      start: STARTS[period],
      end: '2026-01-01T00:00:00.000Z',
    },
    state,
    metrics: { predictions: 9, labelled: 9, events: 3, auc: 0.6, aucInterval: null, ks: 0.2, psi: {} },
    findings: [],
    policy: 'b10b',
    judgedAt: '',
  }) as unknown as Verdict;
const change = (more: Partial<Change>): Change =>
  ({ id: 'c1', kind: 'retrain', model: 'm', version: '1', environment: 'prod', updatedAt: '', ...more }) as Change;
const summary = (version: string): ModelSummary => ({
  model: 'm',
  owner: '',
  environments: [
    { name: 'prod', namespace: '', application: '', merge: 'review', live: { version, digest: '', since: '' } },
  ],
});
const item: DueItem = {
  kind: 'retrain',
  deliveryId: 'retrain-1',
  event: 'alert',
  title: '',
  model: 'm',
  version: '1',
  environment: 'prod',
  payload: { start: STARTS['2025Q4'] },
  attempts: 0,
  createdAt: '',
  decided: false,
};
const baseline = {
  variables: [],
  scores: [],
  rows: 9,
  events: 3,
  performance: { auc: 0.9, ks: 0.6, rows: 9, events: 3 },
};

type World = {
  readonly verdicts: readonly Verdict[];
  readonly policy: string | undefined;
  readonly live: string;
  readonly changes: readonly Change[];
  readonly decided: readonly DecidedRetrain[];
  readonly known: boolean;
  readonly another: boolean;
  readonly answer: () => Promise<Change>;
};

/** One attempt in a world; what it was settled by, and what the writer was sent. */
async function attempt(more: Partial<World>, due = item) {
  const world: World = {
    verdicts: [verdict('2025Q3', 'healthy'), verdict('2025Q4', 'alert')],
    policy: POLICY,
    live: '1',
    changes: [],
    decided: [],
    known: true,
    another: false,
    answer: async () => change({ phase: 'requested' }),
    ...more,
  };
  const sent: RetrainRequest[] = [];
  let settled: Settlement | undefined;
  const counts = { rows: 9, variables: {}, scores: [] };
  const needs = {
    outbox: {
      attempt: async (_kind: string, work: (due: DueItem) => Promise<Settlement>) => {
        settled = await work(due);
        return true;
      },
      decide: async () => !world.another,
      decidedRetrains: async () => world.decided,
    },
    store: { verdicts: async () => world.verdicts, counts: async () => counts, firstStarts: async () => [] },
    writer: {
      changes: async () => world.changes,
      models: async () => [summary(world.live)],
      policy: async () => (world.policy === undefined ? undefined : { blob: 'b', text: world.policy }),
      requestRetrain: async (request: RetrainRequest) => {
        sent.push(request);
        return world.answer();
      },
    },
    references: async () => (world.known ? ({ modelVersion: {}, baseline } as unknown as Reference) : undefined),
    parsePolicy,
    snapshots: { take: async () => ({ file: 's.csv.gz' }) },
    clock: { now: () => NOW },
    log: silentLogger,
  } as unknown as RetrainNeeds;
  await requestRetrain(needs);
  return { settled, sent };
}

test('an alert that nothing stands against is sent with its snapshot, under the key of the outbox', async () => {
  const { settled, sent } = await attempt({});
  expect(settled).toEqual({ state: 'accepted' });
  expect(sent).toHaveLength(1);
  expect(sent[0]).toMatchObject({ dedupeKey: 'retrain-1', version: '1', snapshot: { file: 's.csv.gz' } });
  expect(sent[0]?.windows.map(({ window }) => window.period)).toEqual(['2025Q3']);
});

const ended = (updatedAt: string) => change({ phase: 'rejected', updatedAt });
const open = (more: Partial<Change>) => change({ phase: 'proposed', ...more });
test.each<[what: string, Partial<World>, reason: string]>([
  [
    'in the cool-down after somebody closed one',
    { changes: [ended('2026-01-10T00:00:00.000Z')] },
    'The cool-down after the last retrain lasts until 2026-01-24T00:00:00.000Z.',
  ],
  [
    'in the cool-down after one that the writer has not shown yet',
    { decided: [{ deliveryId: 'x', at: '2026-01-19T00:00:00.000Z', open: false }] },
    'The cool-down after the last retrain lasts until 2026-02-02T00:00:00.000Z.',
  ],
  [
    'while the policy snoozes',
    { policy: POLICY.replace('P14D', 'P14D, snoozeUntil: 2026-02-01') },
    'The policy snoozes retraining until 2026-02-01.',
  ],
  ['while another version is live', { live: '2' }, 'Version 2 is live meanwhile.'],
  [
    'where the policy asks for none any more',
    { policy: POLICY.replace(/retrain: .*\n/, '') },
    'The policy does not ask for retraining any more.',
  ],
  [
    'when a newer window is healthy',
    { verdicts: [verdict('2025Q4', 'alert'), verdict('2026Q1', 'healthy')] },
    'All rules hold again in 2026Q1.',
  ],
  [
    'when late labels ended the alert',
    { verdicts: [verdict('2025Q4', 'warning')] },
    'The window does not alert any more.',
  ],
  ['while one of another version is open', { changes: [open({ version: '0' })] }, 'Retrain c1 is open.'],
  ['while one is merged and trains', { changes: [change({ phase: 'verifying' })] }, 'Retrain c1 is open.'],
  [
    'when the open one is to have newer evidence',
    { changes: [open({})], verdicts: [verdict('2025Q4', 'alert'), verdict('2026Q1', 'alert')] },
    'Retrain c1 is open, and 2026Q1 is newer evidence.',
  ],
  [
    'for a version that is not known',
    { known: false },
    'Version 1 was never deployed through Fairway, so its columns are not known.',
  ],
])('is not asked for %s', async (_what, world, reason) => {
  expect(await attempt(world)).toEqual({ settled: { state: 'held', reason }, sent: [] });
});

test.each<[what: string, Partial<World>]>([
  ['the cool-down is over', { changes: [ended('2026-01-05T00:00:00.000Z')] }],
  ['the snooze is over', { policy: POLICY.replace('P14D', 'P14D, snoozeUntil: 2026-01-20') }],
  ['one of this version is open before its merge: it is brought up to date', { changes: [open({})] }],
  ['a newer window says nothing', { verdicts: [verdict('2025Q4', 'alert'), verdict('2026Q1', 'insufficient')] }],
])('is asked for when %s', async (_what, world) => {
  expect((await attempt(world)).settled).toEqual({ state: 'accepted' });
});

test('of two that are decided at once the second waits', async () => {
  const { settled, sent } = await attempt({ another: true });
  expect(settled).toEqual({ state: 'pending', delayMs: 1000, reason: 'Another retrain of m is on its way.' });
  expect(sent).toEqual([]);
});

test('what was decided is sent as it stands, whatever holds by now; a refusal is final, silence is not', async () => {
  const payload = { kind: 'retrain', dedupeKey: 'retrain-1' };
  const again = { ...item, decided: true, payload };
  expect(await attempt({ live: '2' }, again)).toEqual({ settled: { state: 'accepted' }, sent: [payload] });
  const refused = new FairwayError('input.invalid', 'No.');
  expect((await attempt({ answer: () => Promise.reject(refused) }, again)).settled).toEqual({
    state: 'dead',
    reason: 'No.',
  });
  const silence = new FairwayError('stack.failed', 'It does not answer.', { disposition: 'retryable' });
  expect((await attempt({ answer: () => Promise.reject(silence) }, again)).settled).toMatchObject({
    state: 'pending',
    reason: 'It does not answer.',
  });
});
