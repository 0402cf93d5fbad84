import { encodeExchange, type Exchange } from '@fairway/core';
import type { DropReason, Spool, RawExchange } from '../ports.ts';
import { bump, type Tally } from '../tally.ts';
import { Encoder } from './encode.ts';
import { toExchange } from './exchange.ts';
import { type Attribution, labelOf, UNKNOWN, type VersionHistory } from './versions.ts';

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
  /** Makes an exchange what may be written; undefined where nothing is to be redacted. */
  readonly redact: ((exchange: Exchange) => Exchange) | undefined;
};

/** Attributes, redacts and spools what the hop saw. Every number is stored, or dropped and counted: no third way. */
export class Capturer {
  private readonly config: CaptureConfig;
  private readonly parts: CaptureParts;
  private readonly encoder = new Encoder();
  /** Of the exchange that is being taken: one for all. */
  private readonly context: CaptureConfig & { seq: number; attribution: Attribution };
  private target = '';
  private label: string | undefined;

  constructor(config: CaptureConfig, parts: CaptureParts) {
    this.config = config;
    this.parts = parts;
    this.context = { ...config, seq: 0, attribution: UNKNOWN };
  }

  /** Cannot throw. Nothing of the exchange's bytes is held afterwards. */
  take(raw: RawExchange, seq: number): void {
    const { tally } = this.parts;
    try {
      const reason = this.store(raw, seq);
      if (reason) bump(tally.dropped, reason);
    } catch {
      tally.captureErrors++;
      bump(tally.dropped, 'spool_error');
    }
  }

  private store(raw: RawExchange, seq: number): DropReason | undefined {
    const { spool, redact } = this.parts;
    const label = this.labelOf(raw.target);
    const attribution = this.attribution(raw, label);
    const { version, source } = attribution;
    const { startedAt, endedAt } = raw;
    const { context } = this;
    context.seq = seq;
    context.attribution = attribution;
    const span = this.isSettled(raw) ? undefined : { seq, startedAt, endedAt, label, version, source };
    const bytes = redact ? encodeExchange(redact(toExchange(raw, context))) : this.encoder.encode(raw, context);
    return spool.offer({ seq, bytes, span });
  }

  /** Callers mostly ask for the same again. */
  private labelOf(target: string): string | undefined {
    if (target !== this.target) {
      this.target = target;
      this.label = labelOf(target);
    }
    return this.label;
  }

  /** The version is named, or nobody observes it: only this pod's model is, a call for another name is the caller's mistake. */
  private isSettled({ route, answered }: RawExchange): boolean {
    return (answered ?? route.version) !== undefined || route.model !== this.config.model;
  }

  private attribution(raw: RawExchange, label: string | undefined): Attribution {
    const named = raw.answered ?? raw.route.version;
    if (named !== undefined) return { version: named, source: raw.answered === undefined ? 'url' : 'answer' };
    return this.isSettled(raw) ? UNKNOWN : this.parts.versions.current(label);
  }
}
