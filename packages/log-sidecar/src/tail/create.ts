import { Checkpoints } from './checkpoints.ts';
import { type TailCounts, createTailCounts } from './counts.ts';
import { Tail, type TailParts, type TailRules } from './tail.ts';
import { Tracker, type TrackerRules } from './tracker.ts';

export type TailConfig = TailRules &
  Omit<TrackerRules, 'mostOpen'> & { readonly stateDir: string; readonly mostOpen?: number };

/** Beyond, files that are read to their end are closed until they grow. */
const MOST_OPEN = 256;

/** A tail with everything that belongs to it. */
export function createTail(
  { stateDir, mostOpen = MOST_OPEN, ...rules }: TailConfig,
  parts: Omit<TailParts, 'tracker' | 'counts'>,
): { readonly tail: Tail; readonly counts: TailCounts } {
  const counts = createTailCounts();
  const checkpoints = new Checkpoints(stateDir);
  const { log, monotonic } = parts;
  const tracker = new Tracker({ ...rules, mostOpen }, { checkpoints, counts, log, monotonic });
  return { tail: new Tail(rules, { ...parts, tracker, counts }), counts };
}
