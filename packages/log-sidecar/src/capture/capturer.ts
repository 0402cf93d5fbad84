import { encodeExchange } from '@fairway/core';
import type { Capture, DropReason, RawExchange, Spool, SpoolRecord } from '../ports.ts';
import { bump, type Tally } from '../tally.ts';
import { toExchange } from './exchange.ts';
import { type Attribution, UNKNOWN, type VersionHistory } from './versions.ts';

export type CaptureConfig = {
  readonly model: string;
  readonly environment: string;
  readonly trustEventTime: boolean;
};

export type CaptureParts = {
  readonly spool: Pick<Spool, 'offer'>;
  readonly versions: VersionHistory;
  readonly tally: Tally;
  readonly ids: () => string;
};

/** Numbers, attributes and spools what the hop saw. Every number is stored, or dropped and counted: no third way. */
export class Capturer implements Capture {
  readonly nextId: () => string;
  private readonly config: CaptureConfig;
  private readonly spool: Pick<Spool, 'offer'>;
  private readonly versions: VersionHistory;
  private readonly tally: Tally;
  private seq = 0;

  constructor(config: CaptureConfig, { spool, versions, tally, ids }: CaptureParts) {
    this.config = config;
    this.spool = spool;
    this.versions = versions;
    this.tally = tally;
    this.nextId = ids;
  }

  completed(raw: RawExchange): void {
    const seq = this.number();
    let reason: DropReason | undefined = 'spool_error';
    try {
      reason = this.spool.offer(this.record(raw, seq));
    } finally {
      if (reason) bump(this.tally.dropped, reason);
    }
  }

  missed(reason: DropReason): void {
    this.number();
    bump(this.tally.dropped, reason);
  }

  private number(): number {
    this.tally.captured++;
    return ++this.seq;
  }

  private record(raw: RawExchange, seq: number): SpoolRecord {
    const attribution = this.attribution(raw);
    const { environment, trustEventTime } = this.config;
    const bytes = encodeExchange(toExchange(raw, { seq, environment, trustEventTime, attribution }));
    if (attribution.source === 'url' || raw.route.model !== this.config.model) return { seq, bytes, span: undefined };
    const { startedAt, endedAt } = raw;
    return { seq, bytes, span: { seq, startedAt, endedAt, ...attribution } };
  }

  private attribution({ route }: RawExchange): Attribution {
    if (route.version !== undefined) return { version: route.version, source: 'url' };
    // Only this pod's model is observed; a call for another name is the caller's mistake.
    return route.model === this.config.model ? this.versions.current() : UNKNOWN;
  }
}
