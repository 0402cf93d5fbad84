import type { Clock, Verdict } from '@fairway/core';
import type { QueueDepth } from '@fairway/queue';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { AccountFigures } from '../app/account.ts';
import type { LabelOutcome } from '../app/labels.ts';
import type { PackResult } from '../app/record-pack.ts';
import type { RecorderFigures } from '../app/recorder-figures.ts';

/** What `/metrics` needs of a registry. */
export const expose = (registry: Registry) => async () => ({
  contentType: registry.contentType,
  body: await registry.metrics(),
});

/** What is asked when somebody reads the recorder's `/metrics`; a failure leaves the gauges of it absent, never 0. */
export type RecorderSources = {
  readonly account: () => Promise<AccountFigures>;
  readonly risks: () => readonly string[];
  readonly depth: () => Promise<QueueDepth>;
  readonly figures: () => Promise<RecorderFigures>;
  readonly clock: Clock;
};

/** Counters of the recorder, its ledger as an account, how far it is behind, and what about its queue may lose packs. */
export function recorderMetrics({ account, risks, depth, figures, clock }: RecorderSources) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const packs = new Counter({
    name: 'fairway_packs_total',
    help: 'Packs by outcome',
    labelNames: ['outcome'],
    registers,
  });
  const rows = new Counter({ name: 'fairway_predictions_stored_total', help: 'Predictions stored', registers });
  const labels = new Counter({
    name: 'fairway_labels_total',
    help: 'Labels by outcome',
    labelNames: ['outcome'],
    registers,
  });
  accountGauges(registers, account);
  riskGauge(registers, risks);
  depthGauges(registers, depth, clock);
  figureGauges(registers, figures);
  return {
    registry,
    onPack: ({ outcome, predictions }: PackResult) => {
      packs.inc({ outcome });
      rows.inc(predictions);
    },
    onLabels: ({ joined, early, unchanged, corrected, refused }: LabelOutcome) => {
      const counts = { joined, early, unchanged, corrected, refused: refused.length };
      for (const [outcome, count] of Object.entries(counts)) labels.inc({ outcome }, count);
    },
  };
}

const riskGauge = (registers: Registry[], risks: () => readonly string[]) =>
  new Gauge({
    name: 'fairway_queue_risk',
    help: '1 for each setting of the Redis that may lose packs: evicts, unbounded, volatile',
    labelNames: ['risk'],
    registers,
    collect() {
      this.reset();
      for (const risk of risks()) this.set({ risk }, 1);
    },
  });

type Samples = ReadonlyArray<readonly [labels: Record<string, string>, value: number]>;

/** Gauges that are read together from one source: one scrape asks it once. */
function readings<T>(registers: Registry[], source: () => Promise<T>) {
  let asked: Promise<T> | undefined;
  const ask = () => (asked ??= source().finally(() => (asked = undefined)));
  return (name: string, help: string, labelNames: string[], read: (from: T) => Samples) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      async collect() {
        const now = await ask().catch(() => undefined);
        this.reset();
        // Without labels a reset gauge is 0, which would say that all is well.
        if (labelNames.length === 0) this.remove();
        if (now !== undefined) for (const [labels, value] of read(now)) this.set(labels, value);
      },
    });
}

function depthGauges(registers: Registry[], depth: RecorderSources['depth'], clock: Clock): void {
  const gauge = readings(registers, depth);
  const states = ['waiting', 'active', 'delayed'] as const;
  gauge(
    'fairway_recorder_queue_packs',
    'Packs in the queue; delayed: they could not be recorded and come back',
    ['state'],
    (now) => states.map((state) => [{ state }, now[state]]),
  );
  gauge(
    'fairway_recorder_queue_oldest_seconds',
    'Age of the oldest pack in the queue, 0: it is empty',
    [],
    ({ oldestAt }) => [[{}, oldestAt === undefined ? 0 : Math.max(0, (clock.now() - oldestAt) / 1000)]],
  );
}

function figureGauges(registers: Registry[], figures: RecorderSources['figures']): void {
  const gauge = readings(registers, figures);
  gauge('fairway_recorder_unfolded_counts', 'Appended counts that are not added up yet', [], ({ unfolded }) => [
    [{}, unfolded],
  ]);
  const about = 'Rows of yesterday, today and tomorrow in the default partition';
  gauge('fairway_recorder_unpartitioned_rows', about, ['table'], ({ unpartitioned }) =>
    Object.entries(unpartitioned).map(([table, rows]) => [{ table }, rows]),
  );
}

/** captured = all other parts together. While the database is away the figures are absent; the counters still answer. */
function accountGauges(registers: Registry[], account: () => Promise<AccountFigures>): void {
  const gauge = (
    name: string,
    help: string,
    label: string,
    read: (figures: AccountFigures) => Record<string, number>,
  ) =>
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers,
      async collect() {
        this.reset();
        const figures = await account().catch(() => undefined);
        if (figures === undefined) return;
        for (const [value, count] of Object.entries(read(figures))) this.set({ [label]: value }, count);
      },
    });
  gauge(
    'fairway_account_exchanges',
    'Exchanges of the last 24 hours by what became of them',
    'part',
    (all) => all.parts,
  );
  gauge('fairway_account_dropped_exchanges', 'Exchanges lost in the last 24 hours', 'reason', (all) => all.dropped);
  gauge('fairway_early_labels', 'Labels without a prediction: waiting now, or given up', 'state', (all) => all.labels);
}

/** Gauges of the last judged window of each model and environment; a figure that is not known is absent, not 0. */
export function monitorMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const labelNames = ['model', 'version', 'environment'];
  const gauge = (name: string, help: string, more: string[] = []) =>
    new Gauge({ name, help, labelNames: [...labelNames, ...more], registers });
  const auc = gauge('fairway_window_auc', 'AUC of the last judged window');
  const ks = gauge('fairway_window_ks', 'KS of the last judged window');
  const psi = gauge('fairway_window_psi', 'PSI of an input in the last judged window', ['variable']);
  const rows = gauge('fairway_window_predictions', 'Predictions in the last judged window');
  const coverage = gauge('fairway_window_label_coverage_ratio', 'Labelled share of the last judged window');
  const state = gauge('fairway_window_state', 'One-hot verdict of the last judged window', ['state']);
  const judged = gauge('fairway_window_judged_timestamp_seconds', 'When the last window was judged');
  const length = gauge('fairway_window_seconds', 'Length of the last judged window');
  const newest = new Map<string, string>();
  return {
    registry,
    onVerdict: ({ window: { model, version, environment, start, end }, metrics, state: now, judgedAt }: Verdict) => {
      const labels = { model, version, environment };
      // Late labels have an older window judged again; that is no news about how the model does now.
      const key = JSON.stringify(labels);
      if (Date.parse(start) < Date.parse(newest.get(key) ?? start)) return;
      newest.set(key, start);
      const set = (to: Gauge, value: number | null, more = {}) =>
        value === null ? to.remove({ ...labels, ...more }) : to.set({ ...labels, ...more }, value);
      set(auc, metrics.auc);
      set(ks, metrics.ks);
      for (const [variable, value] of Object.entries(metrics.psi)) set(psi, value, { variable });
      set(rows, metrics.predictions);
      set(coverage, metrics.predictions === 0 ? null : metrics.labelled / metrics.predictions);
      for (const one of ['healthy', 'warning', 'alert', 'insufficient'])
        set(state, one === now ? 1 : 0, { state: one });
      set(judged, Date.parse(judgedAt) / 1000);
      set(length, (Date.parse(end) - Date.parse(start)) / 1000);
    },
  };
}
