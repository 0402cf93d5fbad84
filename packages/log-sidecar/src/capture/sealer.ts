import type { Part } from '@fairway/core';
import type { AgentClock, PackNote, Span, Spool, SpooledPack, VersionRange } from '../ports.ts';
import { type Attribution, combine, type VersionHistory } from './versions.ts';

const TICK_MS = 50;
const PACK_AGE_MS = 200;
/** A pack waits so long for a status observation after its last exchange, then the last one before has to do. */
const EVIDENCE_WAIT_MS = 3000;

/** Closes packs by age and settles them: decides their versions and losses, once, so that a resend is the same pack. */
export class Sealer implements Part {
  readonly name = 'sealer';
  private readonly spool: Spool;
  private readonly versions: VersionHistory;
  private readonly losses: () => Readonly<Record<string, number>>;
  private readonly clock: AgentClock;
  private timer: NodeJS.Timeout | undefined;

  /** `losses`: the epoch's totals so far, by reason. */
  constructor(
    spool: Spool,
    versions: VersionHistory,
    losses: () => Readonly<Record<string, number>>,
    clock: AgentClock,
  ) {
    this.spool = spool;
    this.versions = versions;
    this.losses = losses;
    this.clock = clock;
  }

  start(): void {
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  /** Closes and settles everything with the evidence at hand. */
  stop(): void {
    clearInterval(this.timer);
    this.spool.closeOlder(0);
    this.settle(0);
  }

  private tick(): void {
    // With a backlog packs close by size only: the queue is away, and small packs would not leave any sooner.
    if (this.spool.state().packs < 2) this.spool.closeOlder(PACK_AGE_MS);
    this.settle(EVIDENCE_WAIT_MS);
  }

  private settle(waitMs: number): void {
    for (const pack of this.spool.unsettled()) {
      const impatient = this.clock.monotonic() - pack.closedAt >= waitMs;
      const versions = decideVersions(pack, this.versions, impatient);
      if (!versions) return;
      const note: PackNote = { versions, dropped: pack.earlierDropped ?? this.losses() };
      this.spool.settle(pack, note);
    }
  }
}

/** The corrections to the versions as written; undefined while evidence is missing and there is time to wait. */
export function decideVersions(
  pack: Pick<SpooledPack, 'spans'>,
  history: VersionHistory,
  impatient: boolean,
): VersionRange[] | undefined {
  const ranges: VersionRange[] = [];
  for (const span of pack.spans) {
    const observed = impatient
      ? history.atBest(span.startedAt, span.endedAt, span.label)
      : history.during(span.startedAt, span.endedAt, span.label);
    if (!observed) return undefined;
    const decided = combine(span, observed);
    if (decided.version !== span.version || decided.source !== span.source) correct(ranges, span, decided);
  }
  return ranges;
}

function correct(ranges: VersionRange[], { seq }: Span, { version, source }: Attribution): void {
  const last = ranges.at(-1);
  const grows = last && last[1] === seq - 1 && last[2] === version && last[3] === source;
  if (grows) ranges[ranges.length - 1] = [last[0], seq, version, source];
  else ranges.push([seq, seq, version, source]);
}
