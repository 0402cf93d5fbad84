import { type Environment, FairwayError, iso, type RetireRequest } from '@fairway/core';
import type { Accepted } from '../ports.ts';
import type { ModelFile } from '../render/model-file.ts';
import { chainAt, placeNow } from './catalogue.ts';
import { type IntakeContext, newChange } from './intake.ts';

/**
 * Accepts a request to take a model out of an environment; the change is durable when this answers. The same dedupe key
 * again, or a request while a retirement of the environment is open, answers with that one. Throws `model.unknown`,
 * `environment.unknown`, or `input.invalid` when the confirmation does not name what is retired.
 */
export async function acceptRetire(request: RetireRequest, context: IntakeContext): Promise<Accepted> {
  const { intake, repository, clock } = context;
  const known = await intake.byEvent('retire', request.dedupeKey);
  if (known !== undefined) return { created: false, change: known.change };
  const { head, file, environment } = await placeNow(repository, request);
  checkConfirmation(request, file, environment);
  const chain = await chainAt(repository, head, request);
  // Nothing need be deployed where something is retired; TensorFlow Serving's version 0 does not exist.
  const version = chain?.version ?? '0';
  const digest = chain?.digest ?? '';
  const change = newChange({ ...request, version, digest, event: request.dedupeKey }, iso(clock.now()));
  return intake.acceptRequest({
    change: digest === '' ? change : { ...change, digest },
    evidence: { kind: 'retire', request },
    event: request.dedupeKey,
  });
}

/** What has to be written out: `<model>/<environment>`, and for the last environment of a model that it is the last. */
function confirmation({ name, environments }: ModelFile, environment: Environment): string {
  return `${name}/${environment.name}${environments.length === 1 ? '/last' : ''}`;
}

function checkConfirmation({ confirm }: RetireRequest, file: ModelFile, environment: Environment): void {
  const wanted = confirmation(file, environment);
  if (confirm === wanted) return;
  const last = wanted.endsWith('/last')
    ? ` It is the last environment of ${file.name}: afterwards nothing of it is served anywhere.`
    : '';
  throw new FairwayError(
    'input.invalid',
    `The confirmation is ${JSON.stringify(confirm.slice(0, 150))}; to retire ${file.name} in ${environment.name}, write it out: ${wanted}.${last}`,
  );
}
