import type { Signature } from '@fairway/core';
import type { HealthySight, StoredChange } from '../../change.ts';
import type { Application, Deployment, Pod } from '../../ports.ts';
import { environmentFolder, environmentName } from '../../render/paths.ts';
import { decides, type LookContext, lookAtRollout, stampOf } from './look.ts';
import type { Objection } from './objection.ts';
import { ours, type PodWord, readyPods, sampled, served } from './served.ts';

/** Pods asked at the same time. */
const AT_ONCE = 8;

/** `reason`: what proves it. */
export type Proof =
  | { readonly live: true; readonly reason: string }
  | {
      readonly live: false;
      readonly application: Application | undefined;
      readonly objection: Objection;
      readonly sight: HealthySight | undefined;
    };

/**
 * The whole rule. The cache of the watch is good enough to wait on; before pods are asked, and before anything ends the
 * change, Application and Deployment are read from the API server.
 */
export async function prove(stored: StoredChange, context: LookContext, hysteresisMs: number): Promise<Proof> {
  const seen = await lookAtRollout(stored, context, 'cached', hysteresisMs);
  if (seen.objection !== undefined && !decides(seen.objection)) {
    return { live: false, application: seen.application, objection: seen.objection, sight: seen.sight };
  }
  const look = await lookAtRollout(stored, context, 'now', hysteresisMs);
  const { application, deployment, objection, sight } = look;
  if (objection !== undefined) return { live: false, application, objection, sight };
  const words = await askPods(stored, deployment as Deployment, context);
  return 'objection' in words
    ? { live: false, application, objection: words.objection, sight }
    : { live: true, reason: words.reason };
}

async function askPods(
  stored: StoredChange,
  { desired, selector }: Deployment,
  context: LookContext,
): Promise<{ readonly objection: Objection } | { readonly reason: string }> {
  const { model, version, environment } = stored.change;
  const ready = readyPods(await context.cluster.pods(environmentName(model, environment), selector));
  const foreign = ours(ready, stampOf(stored), desired);
  if (foreign !== undefined) return { objection: foreign };
  const approved = await approvedSignature(stored, context);
  const words = await inParallel(sampled(ready), (pod) => ask(pod, stored, approved, context));
  const objection = served(words, version, approved);
  if (objection !== undefined) return { objection };
  const sample = words.length < ready.length ? `, ${words.length} of them asked` : '';
  return { reason: `${ready.length} of ${desired} pods serve the version with the approved signature${sample}.` };
}

async function ask(
  pod: Pod,
  { change: { model, version } }: StoredChange,
  approved: Signature | string,
  { cluster }: LookContext,
): Promise<PodWord> {
  const serving = await cluster.servingState(pod, model, version);
  if (serving !== 'AVAILABLE' || typeof approved === 'string')
    return { pod, serving, signature: 'it was not asked for' };
  return { pod, serving, signature: await cluster.servingSignature(pod, model, version, approved.name) };
}

/** The signature as the merged commit has it: what was approved, whatever the registry says by now. */
async function approvedSignature(
  { change: { model, environment }, facts: { mergeCommit } }: StoredChange,
  { repository }: LookContext,
): Promise<Signature | string> {
  const path = `${environmentFolder(model, environment)}/modelversion.json`;
  if (mergeCommit === undefined) return 'the merge commit is not known';
  const file = await repository.read(mergeCommit, path);
  if (file === undefined) return `there is no ${path} at ${mergeCommit}`;
  try {
    const { signature } = JSON.parse(file.text) as { readonly signature?: Signature };
    return signature ?? `${path} has no signature`;
  } catch {
    return `${path} is not JSON`;
  }
}

async function inParallel<T, R>(items: readonly T[], call: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < items.length; index = next++) results[index] = await call(items[index] as T);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker));
  return results;
}
