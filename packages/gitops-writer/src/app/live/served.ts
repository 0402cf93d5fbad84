import type { Signature } from '@fairway/core';
import type { Pod } from '../../ports.ts';
import type { Objection } from './objection.ts';
import { signatureDifference } from './signature.ts';

/** More pods than this are sampled: their image is pinned by digest, so one pod's word stands for its neighbours'. */
export const MOST_ASKED = 50;

/** A ready pod, what TensorFlow Serving in it says about the version, and the signature it has loaded (or why it is not known). */
export type PodWord = { readonly pod: Pod; readonly serving: string; readonly signature: Signature | string };

/** Pods that get requests. */
export const readyPods = (pods: readonly Pod[]): Pod[] =>
  pods.filter(({ ready, terminating }) => ready && !terminating);

/** At most `most` pods, spread evenly over their names: the same pods make the same sample. */
export function sampled(pods: readonly Pod[], most = MOST_ASKED): Pod[] {
  const sorted = [...pods].sort((a, b) => (a.name < b.name ? -1 : 1));
  if (sorted.length <= most) return sorted;
  return Array.from({ length: most }, (_, i) => sorted[Math.floor((i * sorted.length) / most)] as Pod);
}

/** Condition 7 goes on: every ready pod is of our stamp, and there are as many as wanted. */
export function ours(ready: readonly Pod[], stamp: string, desired: number): Objection | undefined {
  const foreign = ready.find((pod) => pod.stamp !== stamp);
  if (foreign !== undefined) return progressing(`Pod ${foreign.name} still serves ${changeOf(foreign)}.`);
  if (ready.length < desired) return progressing(`${ready.length} of ${desired} pods are ready.`);
  return undefined;
}

const changeOf = ({ stamp }: Pod): string => (stamp === undefined ? 'no change of ours' : `change ${stamp}`);

/** Condition 8, the model's own word: every pod that was asked has the version AVAILABLE with the approved signature. */
export function served(
  words: readonly PodWord[],
  version: string,
  approved: Signature | string,
): Objection | undefined {
  const silent = words.find(({ serving }) => serving !== 'AVAILABLE');
  if (silent !== undefined)
    return progressing(`TensorFlow Serving in ${silent.pod.name} says ${silent.serving} about version ${version}.`);
  if (typeof approved === 'string') return progressing(`The approved signature cannot be read: ${approved}.`);
  for (const { pod, signature } of words) {
    if (typeof signature === 'string')
      return progressing(`The signature that ${pod.name} serves cannot be read: ${signature}.`);
    const difference = signatureDifference(approved, signature);
    if (difference === undefined) continue;
    return { state: 'degraded', reason: `${pod.name} serves another signature than the approved one: ${difference}.` };
  }
  return undefined;
}

const progressing = (reason: string): Objection => ({ state: 'progressing', reason });
