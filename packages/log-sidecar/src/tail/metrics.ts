import { Counter, Gauge, Registry } from 'prom-client';
import type { TailCounts, TailState } from './counts.ts';
import { REFUSALS } from './records.ts';

export type TailSources = {
  readonly counts: TailCounts;
  readonly state: () => TailState;
  readonly flowing: () => boolean;
  readonly monotonic: () => number;
};

/** What became of the rows that were read: rows = sent + all refused. */
export const tailAccount = ({ counts, state }: TailSources) => {
  const { rows, sent, refused, packs, labels, labelsRefused, truncations } = counts;
  const { bytesBehind, bytesMissing } = state();
  return { rows, sent, refused, packs, labels, labelsRefused, truncations, bytesBehind, bytesMissing };
};

type Series = readonly [name: string, help: string, read: () => number];

/** The metrics of a tail, read when someone asks. */
export function tailMetrics(sources: TailSources): Registry {
  const registry = new Registry();
  const { counts } = sources;
  for (const [name, help, read] of totals(counts)) {
    const collect = function (this: Counter) {
      this.reset();
      this.inc(read());
    };
    registry.registerMetric(new Counter({ name: `fairway_agent_tail_${name}`, help, registers: [], collect }));
  }
  for (const [name, help, read] of gauges(sources)) {
    const collect = function (this: Gauge) {
      this.set(read());
    };
    registry.registerMetric(new Gauge({ name: `fairway_agent_tail_${name}`, help, registers: [], collect }));
  }
  registry.registerMetric(refusals(counts));
  return registry;
}

const totals = (counts: TailCounts): Series[] => [
  ['rows_total', 'Rows read: sent or refused', () => counts.rows],
  ['sent_total', 'Rows the queue took', () => counts.sent],
  ['packs_sent_total', 'Packs the queue took', () => counts.packs],
  ['labels_total', 'Labels the recorder took', () => counts.labels],
  ['labels_refused_total', 'Labels the recorder refused for good', () => counts.labelsRefused],
  ['failures_total', 'Packs or labels that were not taken at once', () => counts.failures],
  ['truncations_total', 'Files that were truncated or replaced in place', () => counts.truncations],
  ['foreign_files_total', 'Files that are no text', () => counts.foreignFiles],
];

const gauges = ({ state, flowing, monotonic }: TailSources): Series[] => [
  ['files', 'Files that are followed', () => state().files],
  ['open_files', 'Files that are open', () => state().openFiles],
  ['bytes_behind', 'Bytes that wait to be read or sent', () => state().bytesBehind],
  ['bytes_missing', 'Bytes seen and not read of files that are gone', () => state().bytesMissing],
  ['oldest_unsent_seconds', 'For how long rows have waited', () => waited(state().behindSince, monotonic())],
  ['queue_up', '1 while the queue takes packs', () => Number(flowing())],
];

const waited = (since: number | undefined, now: number): number => (since === undefined ? 0 : (now - since) / 1000);

/** Every reason is shown from the start: a series that appears with its first refusal hides that one from a rate. */
const NOTHING_REFUSED = Object.fromEntries(REFUSALS.map((reason) => [reason, 0]));

function refusals(counts: TailCounts): Counter {
  return new Counter({
    name: 'fairway_agent_tail_refused_total',
    help: 'Rows refused',
    labelNames: ['reason'],
    registers: [],
    collect() {
      this.reset();
      for (const [reason, n] of Object.entries({ ...NOTHING_REFUSED, ...counts.refused })) this.inc({ reason }, n);
    },
  });
}
