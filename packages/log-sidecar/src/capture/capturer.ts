import { encodeExchange, type Exchange } from '@fairway/core';
import type { Capture, DropReason, Later, RawExchange, Spool } from '../ports.ts';
import { bump, type Tally } from '../tally.ts';
import { toExchange } from './exchange.ts';
import { type Attribution, UNKNOWN, type VersionHistory } from './versions.ts';

export type CaptureConfig = {
  readonly model: string;
  readonly environment: string;
  readonly trustEventTime: boolean;
  /** Probability that an exchange is recorded. */
  readonly sampling: number;
};

export type CaptureParts = {
  readonly spool: Pick<Spool, 'offer'>;
  readonly versions: VersionHistory;
  readonly tally: Tally;
  readonly ids: () => string;
  readonly isSampled: (id: string, probability: number) => boolean;
  /** Makes an exchange what may be written, later than the hop; undefined where nothing is to be redacted. */
  readonly redaction: { readonly later: Later; readonly redact: (exchange: Exchange) => Exchange } | undefined;
};

/**
 * Numbers, attributes and spools what the hop saw. Every number is stored, or dropped and counted: no third way.
 * What the sample leaves out is counted and gets no number: a gap is always a loss.
 */
export class Capturer implements Capture {
  readonly nextId: () => string;
  private readonly config: CaptureConfig;
  private readonly spool: Pick<Spool, 'offer'>;
  private readonly versions: VersionHistory;
  private readonly tally: Tally;
  private readonly isSampled: CaptureParts['isSampled'];
  private readonly redaction: CaptureParts['redaction'];
  private seq = 0;

  constructor(config: CaptureConfig, { spool, versions, tally, ids, isSampled, redaction }: CaptureParts) {
    this.config = config;
    this.spool = spool;
    this.versions = versions;
    this.tally = tally;
    this.isSampled = isSampled;
    this.redaction = redaction;
    this.nextId = ids;
  }

  completed(raw: RawExchange): void {
    if (!this.isSampled(raw.id, this.config.sampling)) {
      this.tally.captured++;
      this.tally.sampledOut++;
      return;
    }
    const seq = this.number();
    if (raw.truncated) this.tally.truncated++;
    this.orDropped(() => this.take(raw, seq));
  }

  missed(reason: DropReason): void {
    this.number();
    bump(this.tally.dropped, reason);
  }

  private number(): number {
    this.tally.captured++;
    return ++this.seq;
  }

  private take(raw: RawExchange, seq: number): DropReason | undefined {
    const attribution = this.attribution(raw);
    const exchange = toExchange(raw, { seq, attribution, ...this.config });
    const { startedAt, endedAt } = raw;
    const settled =
      attribution.source === 'url' || attribution.source === 'answer' || raw.route.model !== this.config.model;
    const span = settled ? undefined : { seq, startedAt, endedAt, ...attribution };
    const { redaction } = this;
    if (!redaction) return this.spool.offer({ seq, bytes: encodeExchange(exchange), span });
    const store = () => this.spool.offer({ seq, bytes: encodeExchange(redaction.redact(exchange)), span });
    const bytes = exchange.request.length + exchange.response.length;
    return redaction.later.offer({ bytes, run: () => this.orDropped(store) });
  }

  private orDropped(store: () => DropReason | undefined): void {
    let reason: DropReason | undefined = 'spool_error';
    try {
      reason = store();
    } finally {
      if (reason) bump(this.tally.dropped, reason);
    }
  }

  private attribution({ route, answered }: RawExchange): Attribution {
    if (answered !== undefined) return { version: answered, source: 'answer' };
    if (route.version !== undefined) return { version: route.version, source: 'url' };
    // Only this pod's model is observed; a call for another name is the caller's mistake.
    return route.model === this.config.model ? this.versions.current() : UNKNOWN;
  }
}
