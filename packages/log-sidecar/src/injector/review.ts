import { FairwayError } from '@fairway/core';
import type { Injection } from './inject.ts';
import { diff } from './patch.ts';
import type { Pod } from './pod.ts';
import { readPod } from './read-pod.ts';

/** What an API server asks. Anything but the creation of a pod is let through without a look. */
export type Review = {
  readonly uid: string;
  readonly namespace: string;
  /** undefined: nothing that we change. */
  readonly pod: Pod | undefined;
};

const VERSION = 'admission.k8s.io/v1';

/** An AdmissionReview as it came in. Throws `input.invalid` when it is none, and the API server then does as its failurePolicy says. */
export function readReview(body: unknown): Review {
  const { apiVersion, kind, request } = fields(body);
  if (apiVersion !== VERSION || kind !== 'AdmissionReview') {
    throw wrong(`an AdmissionReview of ${VERSION} is expected: name v1 in the webhook's admissionReviewVersions`);
  }
  const { uid, operation, namespace, resource, subResource, object } = fields(request);
  if (typeof uid !== 'string' || uid === '' || uid.length > 200) throw wrong('request.uid is missing');
  const { group, resource: plural } = fields(resource);
  const created = operation === 'CREATE' && group === '' && plural === 'pods' && !subResource;
  const where = typeof namespace === 'string' ? namespace : '';
  if (!created) return { uid, namespace: where, pod: undefined };
  const read = readPod(object, 'request.object');
  if ('problem' in read) throw wrong(read.problem);
  return { uid, namespace: where, pod: read.pod };
}

const fields = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const wrong = (problem: string): FairwayError =>
  new FairwayError('input.invalid', `The request cannot be used: ${problem}.`);

/** The answer: always allowed. What keeps a pod from its agent is a warning; a logger must not keep a pod from running. */
export function answerReview(uid: string, before: Pod | undefined, injection: Injection | undefined): object {
  const patch = injection?.outcome === 'injected' ? diff(before, injection.pod) : [];
  const warnings = injection === undefined ? [] : warningsOf(injection);
  return {
    apiVersion: VERSION,
    kind: 'AdmissionReview',
    response: {
      uid,
      allowed: true,
      ...(warnings.length > 0 ? { warnings } : {}),
      ...(patch.length > 0
        ? { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') }
        : {}),
    },
  };
}

/** As sentences; the API server cuts each at 256 characters and all of them at 4096. */
export function warningsOf({ outcome, warnings }: Injection): string[] {
  return warnings
    .slice(0, MOST_WARNINGS)
    .map((text) => (outcome === 'refused' ? `No Fairway agent for this pod: ${text}.` : `Fairway: ${text}.`));
}

const MOST_WARNINGS = 12;
