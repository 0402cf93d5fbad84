import type { Clock } from '@fairway/core';

/** In a burst who has its branch lets those go first that have none: a push takes hundreds at once, the forge's API one at a time. */
export type BranchesFirst = {
  /** A turn on the way to a branch begins; call the answer at its end, once or more. */
  underWay(): () => void;
  /** A change has its branch. Answers for how many ms it gives way; 0: too few are on the way. */
  giveWay(id: string): number;
  /** For how many ms a change still gives way; 0 for one that never did. */
  stillGivesWay(id: string): number;
};

/** So few turns on the way to a branch are no burst, and hold up nobody. */
const FEW = 16;
/** Nobody waits longer for its pull request because of others. */
const MOST_MS = 30_000;
const LEAST_MS = 500;
/** A push ends hundreds of turns at once, and the next ones are claimed a moment later: that is no end of a burst. */
const LULL_MS = 1_000;
/** What a turn to a branch takes of this process, about: before so many have ended, asking again costs two calls of the queue for nothing. */
const TURN_MS = 20;

/**
 * Only in memory: a writer that is started again, or another one, opens the pull requests at once. Waits grow with the time that
 * was waited, so each change is asked a few times, and comes at most twice as late as it must.
 */
export function branchesFirst(clock: Clock): BranchesFirst {
  const since = new Map<string, number>();
  let running = 0;
  let busyAt = Number.NEGATIVE_INFINITY;
  const isBurst = (): boolean => {
    if (running >= FEW) busyAt = clock.now();
    return clock.now() - busyAt < LULL_MS;
  };
  const wait = (waitedMs: number): number =>
    !isBurst() || waitedMs >= MOST_MS
      ? 0
      : Math.min(Math.max(LEAST_MS, running * TURN_MS, waitedMs), MOST_MS - waitedMs);
  return {
    underWay: () => {
      running += 1;
      // Another replica may have gone on with them: nothing is kept beyond the burst.
      if (!isBurst()) since.clear();
      let ended = false;
      return () => {
        // As many as there were until now.
        isBurst();
        running -= ended ? 0 : 1;
        ended = true;
      };
    },
    giveWay: (id) => {
      const ms = wait(0);
      if (ms > 0) since.set(id, clock.now());
      return ms;
    },
    stillGivesWay: (id) => {
      const began = since.get(id);
      if (began === undefined) return 0;
      const ms = wait(clock.now() - began);
      if (ms === 0) since.delete(id);
      return ms;
    },
  };
}
