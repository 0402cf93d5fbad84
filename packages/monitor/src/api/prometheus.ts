import type { Verdict } from '@fairway/core';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { AccountFigures } from '../app/account.ts';
import type { LabelOutcome } from '../app/labels.ts';
import type { PackResult } from '../app/record-pack.ts';

/** What `/metrics` needs of a registry. */
export const expose = (registry: Registry) => async () => ({
  contentType: registry.contentType,
  body: await registry.metrics(),
});

/** Counters of the recorder, its ledger as an account, and what about its queue may lose packs. */
export function recorderMetrics(account: () => Promise<AccountFigures>, risks: () => readonly string[]) {
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
  return {
    registry,
    onVerdict: ({ window: { model, version, environment }, metrics, state: now, judgedAt }: Verdict) => {
      const labels = { model, version, environment };
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
    },
  };
}
