import type { CallKind, CallWindow } from '../../ports.ts';
import type { Limit } from './limits.ts';

/** What a host lets one account do, as far as it is published. */
export type HostLimits = { readonly concurrent: number; readonly windows: readonly CallWindow[] };

/**
 * GitHub's published secondary limits: 80 writes a minute, 500 an hour, 900 points a minute (a read 1, a write 5), 100
 * calls at once. Its hourly quota is learnt from the headers. docs.github.com, "Rate limits for the REST API". Reads get
 * the points that 80 writes leave, so that looking at what waits never keeps a write back.
 */
export const GITHUB_LIMITS: HostLimits = {
  concurrent: 100,
  windows: [
    { lengthMs: 60_000, limit: 80, read: 0, write: 1 },
    { lengthMs: 3_600_000, limit: 500, read: 0, write: 1 },
    { lengthMs: 60_000, limit: 500, read: 1, write: 0 },
  ],
};
/** Where limits are the operator's choice, the headers tell; the cap keeps a small server from being flooded by us. */
export const OWN_HOST_LIMITS: HostLimits = { concurrent: 50, windows: [] };

/** A secondary limit that names no wait: a minute, then twice as long each time, as GitHub asks for. */
const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 900_000;

/** The calls that one host still takes from us. Knows no clock of its own. */
export type Budget = {
  /** Milliseconds until such a call may go out; 0 = it may, and is counted. */
  take(kind: CallKind, resource: string, now: number): number;
  /** Takes note of what an answer said; answers the wait it asks for, 0 when none. */
  learn(limit: Limit, resource: string, now: number): number;
};

export function budget({ windows }: HostLimits): Budget {
  const counted = windows.map(counter);
  const blockedUntil = new Map<string, number>();
  let refusals = 0;
  const block = (resource: string, until: number) =>
    blockedUntil.set(resource, Math.max(until, blockedUntil.get(resource) ?? 0));
  return {
    take: (kind, resource, now) => {
      const blocked = Math.max(blockedUntil.get(resource) ?? 0, blockedUntil.get(EVERYTHING) ?? 0) - now;
      const wait = Math.max(0, blocked, ...counted.map((window) => window.wait(kind, now)));
      if (wait === 0) for (const window of counted) window.add(kind, now);
      return wait;
    },
    learn: ({ limited, resource: told, waitMs }, resource, now) => {
      if (!limited) refusals = 0;
      if (!limited && waitMs === undefined) return 0;
      // Calls that were under way together are refused together; that is one refusal.
      const blocked = (blockedUntil.get(EVERYTHING) ?? 0) - now;
      if (waitMs === undefined && blocked > 0) return blocked;
      const wait = waitMs ?? Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(refusals, 10));
      if (limited) refusals += 1;
      block(blockedBy({ limited, ...(told === undefined ? {} : { resource: told }) }, resource), now + wait);
      return wait;
    },
  };
}

const EVERYTHING = '*';

/** The part of the API that must wait after an answer to a call of `resource`. */
export const blockedBy = ({ limited, resource: told }: Limit, resource: string): string =>
  limited && told === undefined ? EVERYTHING : (told ?? resource);

/** The calls of the last `lengthMs`, oldest first. */
function counter(window: CallWindow) {
  const calls: Array<{ readonly at: number; readonly cost: number }> = [];
  let spent = 0;
  return {
    wait: (kind: CallKind, now: number): number => {
      while (calls[0] !== undefined && calls[0].at <= now - window.lengthMs) spent -= calls.shift()?.cost ?? 0;
      let over = window[kind] === 0 ? 0 : spent + window[kind] - window.limit;
      if (over <= 0) return 0;
      for (const { at, cost } of calls) {
        over -= cost;
        if (over <= 0) return Math.max(1, at + window.lengthMs - now);
      }
      return window.lengthMs;
    },
    add: (kind: CallKind, now: number): void => {
      const cost = window[kind];
      if (cost === 0) return;
      calls.push({ at: now, cost });
      spent += cost;
    },
  };
}
