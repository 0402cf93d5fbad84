import { failed, FairwayError, iso, type StepResult, succeeded, waiting } from '@fairway/core';
import type { ChangeFacts, HealthySight, SeenLiveness, StoredChange, Transition } from '../../change.ts';
import type { Application } from '../../ports.ts';
import { pollDelay } from '../retry.ts';
import { phaseAge, type StepContext } from '../step.ts';
import { mayRefresh } from './fresh.ts';
import type { Objection } from './objection.ts';

/** Argo CD is asked to compare again at most this often, and less often the longer a change waits. */
const REFRESH_EVERY_MS = 1_000;

/** What an objection means for a change: an end, a wait with the reason, and a refresh where the comparison is old. */
export async function tell(
  stored: StoredChange,
  context: StepContext,
  application: Application | undefined,
  objection: Objection,
  sight?: HealthySight,
): Promise<StepResult<Transition>> {
  const delayMs = pollDelay(phaseAge(stored, context.clock));
  const now = context.clock.now();
  const everyMs = Math.max(REFRESH_EVERY_MS, delayMs);
  if (objection.stale === true && application !== undefined && mayRefresh(application, now, everyMs))
    await context.cluster.refresh(application.name, iso(now));
  return resultOf(stored, objection, { liveness: livenessNow(stored, objection, now, sight) }, delayMs);
}

/** Pure. What fails is written down before it ends the change, so that the second look confirms the first. */
function resultOf(
  { change, facts }: StoredChange,
  { state, reason, fails, retryAfterMs }: Objection,
  learned: ChangeFacts,
  delayMs: number,
): StepResult<Transition> {
  const { phase } = change;
  if (state === 'superseded') return succeeded({ phase: 'superseded', reason, facts: learned });
  if (fails === true && facts.liveness?.state === state) return failed(new FairwayError('sync.failed', reason));
  if (fails === true) return waiting(0, reason, { phase, facts: learned });
  if (state === 'syncing' && phase === 'merged') return succeeded({ phase: 'syncing', reason, facts: learned });
  return waiting(retryAfterMs ?? delayMs, reason, { phase, facts: learned });
}

/** The state as it is kept: `at` is when it began, not when it was looked at. */
export function livenessNow(
  { facts }: StoredChange,
  { state, reason }: { readonly state: SeenLiveness['state']; readonly reason: string },
  now: number,
  sight?: HealthySight,
): SeenLiveness {
  const before = facts.liveness;
  const at = before?.state === state ? before.at : iso(now);
  return { state, reason, at, ...(sight === undefined ? {} : { healthy: sight }) };
}
