import type { Clock } from '@fairway/core';
import { Counter, Gauge, Registry } from 'prom-client';
import { DROP_REASONS, type Spool } from './ports.ts';
import type { Tally } from './tally.ts';

export type MetricSources = {
  readonly tally: () => Tally;
  /** Exchanges between the hop and the spool. */
  readonly redacting: () => number;
  readonly spool: Pick<Spool, 'state'>;
  /** Bytes that the spool may have on disk. */
  readonly spoolLimit: number;
  /** The queue takes packs. */
  readonly queueUp: () => boolean;
  /** The last pack was refused for want of memory. */
  readonly queueFull: () => boolean;
  readonly clock: Clock;
};

type Labelled = Readonly<Record<string, number>>;

/** The agent's metrics; values are read from the tally when someone asks, so that the hop only ever adds numbers. */
export function createMetrics(sources: MetricSources): Registry {
  const registry = new Registry();
  const { tally } = sources;
  for (const [name, help, read] of totals(tally)) {
    registry.registerMetric(new Counter({ name, help, registers: [], collect: counted(read) }));
  }
  for (const [name, help, label, read] of labelledTotals(tally)) {
    registry.registerMetric(
      new Counter({ name, help, labelNames: [label], registers: [], collect: countedBy(label, read) }),
    );
  }
  for (const [name, help, read] of gauges(sources)) {
    registry.registerMetric(new Gauge({ name, help, registers: [], collect: measured(read) }));
  }
  return registry;
}

type Series = readonly [name: string, help: string, read: () => number];
type LabelledSeries = readonly [name: string, help: string, label: string, read: () => Labelled];

const totals = (tally: () => Tally): Series[] => [
  ['fairway_agent_captured_total', 'Inference exchanges seen', () => tally().captured],
  ['fairway_agent_sampled_out_total', 'Exchanges outside the sample', () => tally().sampledOut],
  ['fairway_agent_truncated_total', 'Exchanges of which a body was cut at its cap', () => tally().truncated],
  ['fairway_agent_sent_total', 'Exchanges the queue took', () => tally().sent + tally().recovered],
  ['fairway_agent_packs_sent_total', 'Packs the queue took', () => tally().packs],
  ['fairway_agent_queue_failures_total', 'Packs the queue did not take at once', () => tally().addFailures],
  ['fairway_agent_spool_torn_bytes_total', 'Bytes cut from torn segments at start', () => tally().torn],
  ['fairway_agent_killed_total', 'Exchanges lost with the memory of killed agents, at most', () => tally().killed],
  ['fairway_agent_capture_errors_total', 'Exceptions in capture code', () => tally().captureErrors],
];

const labelledTotals = (tally: () => Tally): LabelledSeries[] => [
  [
    'fairway_agent_forwarded_bytes_total',
    'Bytes carried',
    'direction',
    () => ({ request: tally().requestBytes, response: tally().responseBytes }),
  ],
  ['fairway_agent_requests_total', 'Requests by route', 'route', () => tally().requests],
  ['fairway_agent_dropped_total', 'Exchanges lost', 'reason', () => ({ ...NOTHING_DROPPED, ...tally().dropped })],
  ['fairway_agent_withheld_total', 'Bodies that could not be redacted', 'reason', () => tally().withheld],
  ['fairway_agent_unframed_total', 'Connections without capture', 'reason', () => tally().unframed],
  ['fairway_agent_unspooled_total', 'Exchanges kept in memory only', 'reason', () => tally().unspooled],
];

/** Every reason is shown from the start: a series that appears with its first loss hides that loss from a rate. */
const NOTHING_DROPPED: Labelled = Object.fromEntries(DROP_REASONS.map((reason) => [reason, 0]));

const gauges = (sources: MetricSources): Series[] => [...captureGauges(sources), ...spoolGauges(sources)];

const captureGauges = ({ tally, redacting, queueUp, queueFull }: MetricSources): Series[] => [
  ['fairway_agent_connections', 'Open client connections', () => tally().connections],
  ['fairway_agent_redacting', 'Exchanges on their way to the spool', redacting],
  ['fairway_agent_capture_off', '1 while capture has switched itself off', () => Number(tally().captureOff)],
  [
    'fairway_agent_one_buffer',
    '1 while accepted connections are read into one buffer',
    () => Number(tally().oneBuffer),
  ],
  ['fairway_agent_queue_up', '1 while the queue takes packs', () => Number(queueUp())],
  [
    'fairway_agent_queue_full',
    '1 while packs are refused because the queue has little memory left',
    () => Number(queueFull()),
  ],
];

const spoolGauges = ({ spool, spoolLimit, clock }: MetricSources): Series[] => [
  ['fairway_agent_spool_limit_bytes', 'Bytes that the spool may have on disk', () => spoolLimit],
  ['fairway_agent_spool_bytes', 'Bytes in the spool', () => spool.state().bytes],
  ['fairway_agent_spool_exchanges', 'Exchanges in the spool', () => spool.state().exchanges],
  [
    'fairway_agent_spool_oldest_seconds',
    'Age of the oldest exchange in the spool',
    () => ageSeconds(spool.state().oldestAt, clock.now()),
  ],
];

function ageSeconds(at: number | undefined, now: number): number {
  return at === undefined ? 0 : Math.max(0, (now - at) / 1000);
}

function counted(read: () => number) {
  return function collect(this: Counter): void {
    this.reset();
    this.inc(read());
  };
}

function countedBy(label: string, read: () => Labelled) {
  return function collect(this: Counter): void {
    this.reset();
    for (const [value, count] of Object.entries(read())) this.inc({ [label]: value }, count);
  };
}

function measured(read: () => number) {
  return function collect(this: Gauge): void {
    this.set(read());
  };
}
