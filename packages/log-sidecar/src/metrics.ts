import { Counter, Gauge, Registry } from 'prom-client';
import type { Clock } from '@fairway/core';
import type { Spool } from './ports.ts';
import type { Tally } from './tally.ts';

export type MetricSources = {
  readonly tally: Tally;
  readonly spool: Pick<Spool, 'state'>;
  readonly queueFlowing: () => boolean;
  readonly clock: Clock;
};

type Labelled = Readonly<Record<string, number>>;

/** The agent's metrics; values are read from the tally when someone asks, so that the hop only ever adds numbers. */
export function createMetrics({ tally, spool, queueFlowing, clock }: MetricSources): Registry {
  const registry = new Registry();
  const counter = (name: string, help: string, read: () => number) =>
    new Counter({ name, help, registers: [registry], collect: counted(read) });
  const labelled = (name: string, help: string, label: string, read: () => Labelled) =>
    new Counter({ name, help, labelNames: [label], registers: [registry], collect: countedBy(label, read) });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  counter('fairway_agent_captured_total', 'Inference exchanges seen', () => tally.captured);
  counter('fairway_agent_sent_total', 'Exchanges the queue took', () => tally.sent + tally.recovered);
  counter('fairway_agent_packs_sent_total', 'Packs the queue took', () => tally.packs);
  counter('fairway_agent_queue_failures_total', 'Packs the queue did not take at once', () => tally.addFailures);
  counter('fairway_agent_spool_torn_bytes_total', 'Bytes cut from torn segments at start', () => tally.torn);
  counter('fairway_agent_capture_errors_total', 'Exceptions in capture code', () => tally.captureErrors);
  labelled('fairway_agent_forwarded_bytes_total', 'Bytes carried', 'direction', () => ({
    request: tally.requestBytes,
    response: tally.responseBytes,
  }));
  labelled('fairway_agent_requests_total', 'Requests by route', 'route', () => tally.requests);
  labelled('fairway_agent_dropped_total', 'Exchanges lost', 'reason', () => tally.dropped);
  labelled('fairway_agent_unframed_total', 'Connections without capture', 'reason', () => tally.unframed);
  labelled('fairway_agent_unspooled_total', 'Exchanges kept in memory only', 'reason', () => tally.unspooled);
  gauge('fairway_agent_connections', 'Open client connections', () => tally.connections);
  gauge('fairway_agent_capture_off', '1 while capture has switched itself off', () => Number(tally.captureOff));
  gauge('fairway_agent_queue_up', '1 while the queue takes packs', () => Number(queueFlowing()));
  gauge('fairway_agent_spool_bytes', 'Bytes in the spool', () => spool.state().bytes);
  gauge('fairway_agent_spool_exchanges', 'Exchanges in the spool', () => spool.state().exchanges);
  gauge('fairway_agent_spool_oldest_seconds', 'Age of the oldest exchange in the spool', () =>
    ageSeconds(spool.state().oldestAt, clock.now()),
  );
  return registry;
}

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
