import type { VersionSource } from '@fairway/core';
import type { Observation, StatusObserver } from '../ports.ts';

/** Version '' with `ambiguous`: it could not be learned. */
export type Attribution = { readonly version: string; readonly source: VersionSource };

export const UNKNOWN: Attribution = { version: '', source: 'ambiguous' };

/** Consecutive observations that say the same. */
type Run = {
  readonly key: string;
  readonly versions: readonly string[];
  readonly says: Attribution;
  readonly from: number;
  until: number;
};

/** Rolls that one deployment can see before its oldest exchange is settled. */
const RUNS_KEPT = 32;
/** Callers can make up any number of labels: the ones used last are asked for. */
const LABELS_KEPT = 16;
/** Rounds of questions after which a label that nobody uses any more is forgotten. */
const IDLE_ROUNDS = 300;

/**
 * Which version answered an un-pinned call, from the status observed before and after it, and for a label from what it
 * resolved to (capture reference §2.5, §2.7). REST answers do not say it: only when every observation around the exchange
 * shows the same single version is that version the answer.
 */
export class VersionHistory implements StatusObserver {
  private readonly status = new History('status');
  private readonly labels = new Map<string, { readonly history: History; idle: number }>();

  observe(observation: Observation): void {
    this.status.observe(observation);
  }

  /** What a label resolved to; no version: to none. */
  observeLabel(label: string, observation: Observation): void {
    this.labels.get(label)?.history.observe(observation);
  }

  get known(): boolean {
    return this.current().version !== '';
  }

  /** The labels to ask about in this round, those of late first. */
  labelsInUse(): string[] {
    for (const [label, entry] of this.labels) if (++entry.idle > IDLE_ROUNDS) this.labels.delete(label);
    return [...this.labels.keys()].reverse();
  }

  /** What the newest observation says: the first guess that travels with the record. A label is asked about from now on. */
  current(label?: string): Attribution {
    return label === undefined ? this.status.current() : this.used(label).current();
  }

  /** The attribution of an exchange that ran from `start` to `end`; undefined until an observation began after its end. */
  during(start: number, end: number, label?: string): Attribution | undefined {
    return label === undefined ? this.status.during(start, end) : this.of(label)?.during(start, end);
  }

  /** The same when nobody waits any longer for an observation after the end. */
  atBest(start: number, end: number, label?: string): Attribution {
    return (label === undefined ? this.status : this.of(label))?.atBest(start, end) ?? UNKNOWN;
  }

  private of(label: string): History | undefined {
    return this.labels.get(label)?.history;
  }

  private used(label: string): History {
    const history = this.of(label) ?? new History('label');
    // The map is in order of use: the first one was used longest ago.
    this.labels.delete(label);
    this.labels.set(label, { history, idle: 0 });
    const [oldest] = this.labels.keys();
    if (this.labels.size > LABELS_KEPT && oldest !== undefined) this.labels.delete(oldest);
    return history;
  }
}

const LABEL = /^\/v1\/models\/[^/:]+\/labels\/([^/:]+):/i;

/** The label of an inference call's target, as it is written there; undefined when it names none. */
export const labelOf = (target: string): string | undefined => LABEL.exec(target)?.[1];

/** Observations of one thing, oldest first. */
class History {
  private readonly source: 'status' | 'label';
  private readonly runs: Run[] = [];

  constructor(source: 'status' | 'label') {
    this.source = source;
  }

  observe({ sentAt, receivedAt, versions }: Observation): void {
    const key = versions.join(' ');
    const last = this.runs.at(-1);
    if (last?.key === key) last.until = sentAt;
    else this.runs.push({ key, versions, says: attributionOf(versions, this.source), from: receivedAt, until: sentAt });
    if (this.runs.length > RUNS_KEPT) this.runs.shift();
  }

  current(): Attribution {
    const newest = this.runs.at(-1);
    return newest?.says ?? UNKNOWN;
  }

  during(start: number, end: number): Attribution | undefined {
    const only = this.runs.findLast((run) => run.from <= start);
    if (only && only.until >= end) return only.says;
    const last = this.runs.findIndex((run) => run.until >= end);
    return last < 0 ? undefined : this.between(start, last);
  }

  atBest(start: number, end: number): Attribution {
    return this.during(start, end) ?? this.between(start, this.runs.length - 1);
  }

  private between(start: number, last: number): Attribution {
    // Nothing was observed before the first run: what it shows is all that is known of the time before.
    const first = Math.max(
      0,
      this.runs.findLastIndex((run) => run.from <= start),
    );
    const seen = new Set<string>();
    for (let i = first; i <= last; i++) for (const version of this.runs[i]?.versions ?? []) seen.add(version);
    return attributionOf([...seen], this.source);
  }
}

/** What was written with the record and what was observed around it, taken together. */
export function combine(written: Attribution, observed: Attribution): Attribution {
  if (written.version === '') return observed;
  if (observed.version === '') return written;
  if (written.version !== observed.version) return attributionOf([written.version, observed.version], 'status');
  return written.source === 'ambiguous' ? written : observed;
}

/** TF Serving answers un-pinned calls with the highest AVAILABLE version, so that is the best guess among several. */
function attributionOf(versions: readonly string[], source: 'status' | 'label'): Attribution {
  const [only] = versions;
  if (only === undefined) return UNKNOWN;
  if (versions.length === 1) return { version: only, source };
  const highest = versions.reduce((a, b) => (BigInt(b) > BigInt(a) ? b : a));
  return { version: highest, source: 'ambiguous' };
}
