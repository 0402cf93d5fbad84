import {
  type Baseline,
  type Change,
  type Clock,
  END_PHASES,
  iso,
  type Logger,
  type RetrainRequest,
  type Verdict,
} from '@fairway/core';
import type { Policy } from '../policy/schema.ts';
import type { DueItem, JudgeStore, OutboxStore, Settlement, Snapshots, Writer } from '../ports.ts';
import { lineSvg } from '../dashboard/line-chart.ts';
import { performanceChart, seriesOf } from '../dashboard/performance-chart.ts';
import { whatMoved } from '../moved/what-moved.ts';
import type { RetrainIntent } from './announce.ts';
import { yardstick } from './first-good.ts';
import type { References } from './references.ts';
import { settleFailure } from './send.ts';

export type RetrainNeeds = {
  readonly outbox: OutboxStore;
  readonly store: Pick<JudgeStore, 'counts' | 'firstStarts' | 'verdicts'>;
  readonly writer: Pick<Writer, 'changes' | 'models' | 'policy' | 'requestRetrain'>;
  readonly references: References;
  readonly parsePolicy: (text: string, model: string) => Policy;
  readonly snapshots: Snapshots;
  readonly clock: Clock;
  readonly log: Logger;
};

export const ACTOR = 'fairway-monitor';

/** A retraining that newer evidence still reaches: its pull request is brought up to date. */
export const BEFORE_MERGE: readonly Change['phase'][] = ['requested', 'validated', 'built', 'proposed'];

/** Windows on a chart: more run into each other. */
const CHARTED = 24;

/** Another retraining of the model is being sent; this one looks again then. */
const BEHIND_ANOTHER_MS = 1_000;

/**
 * Carries one due retrain request to the writer; false when none was due. First it is decided (no cool-down, the version still
 * live; an open pull request of the same version is brought up to date by it) and its snapshot taken; that is stored, and only then sent, as often as it takes: the same bytes each time.
 */
export function requestRetrain(needs: RetrainNeeds): Promise<boolean> {
  return needs.outbox.attempt('retrain', async (item): Promise<Settlement> => {
    try {
      const request = item.decided ? (item.payload as RetrainRequest) : await decide(needs, item);
      if ('state' in request) return request;
      const change = await needs.writer.requestRetrain(request);
      needs.log.info({ model: item.model, change: change.id, key: item.deliveryId }, 'retrain requested');
      const link = change.pullRequest?.url;
      return { state: 'accepted', ...(link === undefined ? {} : { link }) };
    } catch (error) {
      const settled = settleFailure(item, error);
      needs.log.warn(
        { key: item.deliveryId, state: settled.state, reason: (error as Error).message },
        'retrain request not delivered',
      );
      return settled;
    }
  });
}

async function decide(needs: RetrainNeeds, item: DueItem): Promise<RetrainRequest | Settlement> {
  const { outbox, store, references, snapshots, clock } = needs;
  const verdicts = (await store.verdicts(item)).filter(({ window }) => window.version === item.version);
  const { start } = item.payload as RetrainIntent;
  const verdict = verdicts.find((one) => one.window.start === start);
  const reason = await reasonToHold(needs, item, verdict, verdicts);
  if (reason !== undefined || verdict === undefined) return { state: 'held', reason: reason ?? 'The verdict is gone.' };
  const reference = await references(item.model, item.version);
  if (reference === undefined) {
    return {
      state: 'held',
      reason: `Version ${item.version} was never deployed through Fairway, so its columns are not known.`,
    };
  }
  const windows = verdicts.filter(({ window }) => window.start < verdict.window.start);
  const bounds = { ...verdict.window, start: windows[0]?.window.start ?? verdict.window.start };
  const classes = reference.baseline.classification?.classes;
  const taken = await snapshots.take(bounds, reference.modelVersion, classes);
  const snapshot = { ...taken, createdAt: iso(clock.now()) };
  const request: RetrainRequest = {
    kind: 'retrain',
    model: item.model,
    version: item.version,
    environment: item.environment,
    dedupeKey: item.deliveryId,
    actor: ACTOR,
    verdict,
    snapshot,
    windows,
    ...(await evidenceOf(needs, reference.baseline, verdict, windows)),
  };
  if (await outbox.decide(item, request)) return request;
  return behindAnother(item);
}

/** What moved, from the counts, and the charts of the dashboard. */
async function evidenceOf(
  { store, writer, parsePolicy }: RetrainNeeds,
  committed: Baseline,
  verdict: Verdict,
  windows: readonly Verdict[],
): Promise<Pick<RetrainRequest, 'charts' | 'moved'>> {
  const { model, version } = verdict.window;
  const before = windows.at(-1);
  const earlier = before === undefined ? [] : [await store.counts(before.window)];
  const file = await writer.policy(model);
  const policy = file === undefined ? undefined : parsePolicy(file.text, model);
  const found = policy === undefined ? undefined : await yardstick(store, verdict.window, committed, policy);
  const baseline = found ?? committed;
  const moved = whatMoved(await store.counts(verdict.window), baseline, earlier);
  const shown = { verdicts: [...windows, verdict].slice(-CHARTED), baselines: new Map([[version, baseline]]), policy };
  const charts = seriesOf(shown.verdicts).map((series) => {
    const chart = performanceChart(shown, series);
    return { name: fileName(series), title: chart.finding, svg: lineSvg(chart) };
  });
  return { moved, charts };
}

const fileName = (series: string): string => series.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const behindAnother = ({ model }: DueItem): Settlement => ({
  state: 'pending',
  delayMs: BEHIND_ANOTHER_MS,
  reason: `Another retrain of ${model} is on its way.`,
});

/** The newest window of a version that says anything; `verdicts` oldest first. */
export const newestVerdict = (verdicts: readonly Verdict[]): Verdict | undefined =>
  verdicts.filter(({ state }) => state !== 'insufficient').at(-1);

/** Why no retrain is asked for, in a sentence; undefined when it should be. */
async function reasonToHold(
  { outbox, writer, parsePolicy, clock }: RetrainNeeds,
  { model, version, environment }: DueItem,
  verdict: Verdict | undefined,
  verdicts: readonly Verdict[],
): Promise<string | undefined> {
  if (verdict?.state !== 'alert') return 'The window does not alert any more.';
  const newest = newestVerdict(verdicts);
  if (newest?.state === 'healthy') return `All rules hold again in ${newest.window.period}.`;
  const file = await writer.policy(model);
  const retrain = file === undefined ? undefined : parsePolicy(file.text, model).retrain;
  if (retrain === undefined) return 'The policy does not ask for retraining any more.';
  const { cooldown, snoozeUntil } = retrain;
  if (snoozeUntil !== undefined && Date.parse(snoozeUntil) > clock.now())
    return `The policy snoozes retraining until ${snoozeUntil.slice(0, 10)}.`;
  const live = (await writer.models())
    .find((one) => one.model === model)
    ?.environments.find(({ name }) => name === environment)?.live;
  if (live !== undefined && live.version !== version) return `Version ${live.version} is live meanwhile.`;
  const changes = await writer.changes({ model, kind: 'retrain' });
  const open = changes.find(({ phase }) => !END_PHASES.includes(phase));
  if (open !== undefined) return reasonNotToUpdate(open, verdict, verdicts);
  const decided = (await outbox.decidedRetrains(model)).filter((one) => !one.open);
  const last = [...changes.map(({ updatedAt }) => updatedAt), ...decided.map(({ at }) => at)].sort().at(-1);
  const until = last === undefined ? 0 : Date.parse(last) + cooldown;
  return until > clock.now() ? `The cool-down after the last retrain lasts until ${iso(until)}.` : undefined;
}

/** Why an open retraining is left as it is, in a sentence; undefined when this window is news for it. */
function reasonNotToUpdate(open: Change, { window }: Verdict, verdicts: readonly Verdict[]): string | undefined {
  const isSame = open.version === window.version && open.environment === window.environment;
  if (!isSame || !BEFORE_MERGE.includes(open.phase)) return `Retrain ${open.id} is open.`;
  const newer = verdicts.find((one) => one.state === 'alert' && one.window.start > window.start);
  return newer === undefined ? undefined : `Retrain ${open.id} is open, and ${newer.window.period} is newer evidence.`;
}
