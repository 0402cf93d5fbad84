import { iso } from '@fairway/core';
import type { HealthySight } from '../../change.ts';
import type { Application } from '../../ports.ts';
import { type Objection, wholeSeconds } from './objection.ts';

export type HealthFacts = {
  /** When our rollout was complete and our commit merged, whichever is later; RFC 3339. */
  readonly rolledOutAt: string | undefined;
  /** When we saw it Healthy after our rollout. */
  readonly seen: HealthySight | undefined;
  /** ms since the epoch. */
  readonly now: number;
  readonly hysteresisMs: number;
};

export type HealthJudgement = { readonly objection?: Objection; readonly sight?: HealthySight };

/** Condition 6, asked once the rollout is complete: Healthy, and for as long as the hysteresis. `sight` is to be kept. */
export function healthy(application: Application, facts: HealthFacts): HealthJudgement {
  const { health, healthMessage } = application;
  if (health === 'Healthy') return stable(application, facts);
  if (health === 'Degraded') {
    // The sight stays: the second look, which confirms a failure, has to know of it.
    return { objection: degraded(application, facts), ...(facts.seen === undefined ? {} : { sight: facts.seen }) };
  }
  const why = healthMessage === undefined || healthMessage === '' ? '.' : `: ${healthMessage}`;
  const state = health === 'Unknown' ? 'unknown' : 'progressing';
  return { objection: { state, reason: `The rollout is complete, and Argo CD says ${health}${why}` } };
}

/**
 * Argo CD's time is cut to the second, so its second must be over before counting begins. What we have seen ourselves
 * counts as well: the time may be missing, or of a clock that is ahead of ours.
 */
function stable({ healthSince }: Application, { seen, now, hysteresisMs }: HealthFacts): HealthJudgement {
  const same = seen !== undefined && seen.since === healthSince;
  const sight = same ? seen : { at: iso(now), ...(healthSince === undefined ? {} : { since: healthSince }) };
  const byArgo = healthSince === undefined ? 0 : now - (Date.parse(healthSince) + 1000);
  const stableMs = Math.max(byArgo, now - Date.parse(sight.at));
  if (stableMs >= hysteresisMs) return { sight };
  const reason = `Argo CD says Healthy, which is believed once it has been so for ${hysteresisMs / 1000} s.`;
  return { sight, objection: { state: 'progressing', reason, retryAfterMs: hysteresisMs - stableMs } };
}

/** Only a transition counts against the change: what was Degraded before its rollout is not its failure. */
function degraded({ healthSince, healthMessage }: Application, { rolledOutAt, seen }: HealthFacts): Objection {
  const why = healthMessage === undefined || healthMessage === '' ? '' : ` (${healthMessage})`;
  const since = healthSince === undefined ? '' : ` at ${healthSince}`;
  const after =
    healthSince !== undefined && rolledOutAt !== undefined && wholeSeconds(healthSince) > wholeSeconds(rolledOutAt);
  if (seen !== undefined || after) {
    return {
      state: 'degraded',
      reason: `The Application turned Degraded${since}, after the rollout${why}.`,
      fails: true,
    };
  }
  return {
    state: 'degraded',
    reason: `The Application turned Degraded${since}, before this change was rolled out${why}; that does not count against it.`,
  };
}
