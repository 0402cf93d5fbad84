import type { VersionSource } from '@fairway/core';
import type { Observation, StatusObserver } from '../ports.ts';

/** Version '' with `ambiguous`: it could not be learned. */
export type Attribution = { readonly version: string; readonly source: VersionSource };

export const UNKNOWN: Attribution = { version: '', source: 'ambiguous' };

/** Consecutive observations that say the same. */
type Run = { readonly key: string; readonly versions: readonly string[]; readonly from: number; until: number };

/** Rolls that one deployment can see before its oldest exchange is settled. */
const RUNS_KEPT = 32;

/**
 * Which version answered an un-pinned call, from the status observed before and after it (capture reference §2.7).
 * REST answers do not say it: only when every observation around the exchange shows the same single AVAILABLE
 * version is that version the answer.
 */
export class VersionHistory implements StatusObserver {
  private readonly runs: Run[] = [];

  observe({ sentAt, receivedAt, versions }: Observation): void {
    const key = versions.join(' ');
    const last = this.runs.at(-1);
    if (last?.key === key) last.until = sentAt;
    else this.runs.push({ key, versions, from: receivedAt, until: sentAt });
    if (this.runs.length > RUNS_KEPT) this.runs.shift();
  }

  get known(): boolean {
    return this.current().version !== '';
  }

  /** What the newest observation says: the first guess that travels with the record. */
  current(): Attribution {
    const newest = this.runs.at(-1);
    return newest ? attributionOf(newest.versions) : UNKNOWN;
  }

  /** The attribution of an exchange that ran from `start` to `end`; undefined until an observation began after its end. */
  during(start: number, end: number): Attribution | undefined {
    const last = this.runs.findIndex((run) => run.until >= end);
    return last < 0 ? undefined : this.between(start, last);
  }

  /** The same when nobody waits any longer for an observation after the end. */
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
    return attributionOf([...seen]);
  }
}

/** What was written with the record and what was observed around it, taken together. */
export function combine(written: Attribution, observed: Attribution): Attribution {
  if (written.version === '') return observed;
  if (observed.version === '') return written;
  if (written.version !== observed.version) return attributionOf([written.version, observed.version]);
  return written.source === 'ambiguous' ? written : observed;
}

/** TF Serving answers un-pinned calls with the highest AVAILABLE version, so that is the best guess among several. */
function attributionOf(versions: readonly string[]): Attribution {
  const [only] = versions;
  if (only === undefined) return UNKNOWN;
  if (versions.length === 1) return { version: only, source: 'status' };
  const highest = versions.reduce((a, b) => (BigInt(b) > BigInt(a) ? b : a));
  return { version: highest, source: 'ambiguous' };
}
