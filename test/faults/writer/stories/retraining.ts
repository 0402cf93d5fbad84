import type { Change } from '@fairway/core';
import { syncedApplication } from '../../../integration/writer/cluster.ts';
import { MODEL } from '../../../integration/writer/world.ts';
import type { Story } from '../story.ts';
import type { Team } from '../team.ts';

/** What the monitor asks for after a period. */
function asked(period: string): object {
  const window = { model: MODEL, version: '1', environment: 'prod', period };
  const [start, end] = ['2026-01-01T00:00:00.000Z', '2026-04-01T00:00:00.000Z'];
  const metrics = { predictions: 2000, labelled: 2000, events: 400, auc: 0.7, ks: 0.4, gini: 0.4 };
  const drift = { psi: { X: 0.3 }, psiWithMissing: {}, missing: {} };
  const finding = { rule: 'auc', metric: 'auc', value: 0.7, limit: 0.8, op: '<', sample: 2000, severity: 'alert' };
  return {
    kind: 'retrain',
    model: MODEL,
    version: '1',
    environment: 'prod',
    dedupeKey: `${MODEL} 1 auc ${period}`,
    actor: 'fairway-monitor',
    verdict: {
      id: `v-${period}`,
      window: { ...window, start, end },
      state: 'alert',
      metrics: { ...metrics, ...drift },
      findings: [{ ...finding, message: 'AUC is 0.7.' }],
      policy: 'a'.repeat(40),
      counts: 'b'.repeat(64),
      judgedAt: end,
    },
    windows: [],
    moved: [],
    charts: [],
    snapshot: {
      id: `s-${period}`,
      model: MODEL,
      version: '1',
      environment: 'prod',
      file: `${period}.csv.gz`,
      query: 'SELECT 1',
      start,
      end,
      rows: 10,
      labels: 10,
      events: 2,
      columns: [{ name: 'X', type: 'number' }],
      sha256: 'c'.repeat(64),
      createdAt: end,
    },
  };
}

const ask = ({ request }: Team, period: string): Promise<Change> => request('/v1/changes', asked(period));
const titleOf = (period: string): string => `Retrain ${MODEL} after ${period} (prod)`;

/** A person merges, Argo CD applies, and the Job does what it has to. */
async function trains(team: Team, id: string): Promise<void> {
  await team.merged(id);
  const application = `${MODEL}-retrain-${id}`;
  team.world.cluster.application(application, syncedApplication(application, await team.origin.head()));
  const status = { conditions: [{ type: 'Complete', status: 'True' }] };
  team.world.cluster.job(`${MODEL}-retrain`, `retrain-${id}`, { metadata: { name: `retrain-${id}` }, status });
  await team.ended(id, 'live');
}

/** The one request that the default branch holds of a retraining is the newest. */
async function wrongRequest({ origin }: Team, id: string, period: string): Promise<string[]> {
  const paths = await origin.list(`models/${MODEL}/retrain/${id}`);
  const requests = paths.filter((path) => path.endsWith('/request.json'));
  const text = (await origin.read(requests[0] ?? '')) ?? 'nothing';
  return requests.length === 1 && text.includes(`auc ${period}"`) ? [] : [`${requests.join()} says ${text}`];
}

/** The monitor asks, a person merges, the Job trains. */
export const retraining: Story = {
  name: 'retraining',
  round: async (team, number) => {
    const period = `P${number}`;
    return async () => {
      const { id } = await ask(team, period);
      await team.proposed(id);
      await trains(team, id);
      return {
        made: [{ id, phase: 'live', title: titleOf(period), state: 'merged', says: '**Done.**' }],
        cards: ['retrain-merged', 'retrain-finished'],
        content: () => wrongRequest(team, id, period),
      };
    };
  },
};

/** Newer evidence comes while the pull request is open, which is brought up to date and not doubled. */
export const newerEvidence: Story = {
  name: 'newer-evidence',
  round: async (team, number) => {
    const [first, second] = [`P${number}a`, `P${number}b`];
    return async () => {
      const { id } = await ask(team, first);
      const { pullRequest } = await team.proposed(id);
      const joined = await ask(team, second);
      await team.titled(pullRequest?.number, titleOf(second));
      await trains(team, id);
      return {
        made: [{ id, phase: 'live', title: titleOf(second), state: 'merged', says: '**Done.**', updates: 1 }],
        cards: ['retrain-merged', 'retrain-finished'],
        content: async () => [
          ...(joined.id === id ? [] : [`the newer evidence made change ${joined.id}`]),
          ...(await wrongRequest(team, id, second)),
        ],
      };
    };
  },
};

/** The model has recovered before the merge: the monitor takes its request back, and the pull request is closed. */
export const recovery: Story = {
  name: 'recovery',
  round: async (team, number) => {
    const period = `P${number}`;
    return async () => {
      const { id } = await ask(team, period);
      await team.proposed(id);
      const reason = 'Version 1 performs well again.';
      await team.request(`/v1/changes/${id}/withdraw`, { actor: 'fairway-monitor', reason });
      await team.ended(id, 'superseded');
      const again = await ask(team, period);
      return {
        made: [{ id, phase: 'superseded', title: titleOf(period), state: 'closed', says: '**Withdrawn.**' }],
        cards: ['superseded'],
        content: async () => [
          ...(again.id === id ? [] : [`the same evidence made change ${again.id}`]),
          ...(await team.origin.list(`models/${MODEL}/retrain/${id}`)).map((path) => `${path} is there`),
        ],
      };
    };
  },
};
