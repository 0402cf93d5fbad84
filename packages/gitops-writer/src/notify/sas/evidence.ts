import { FairwayError } from '@fairway/core';
import { z } from 'zod';
import type { Answer } from '../../ports.ts';
import { parsed, type SasServer } from '../../sources/sas/client.ts';
import { checkId, type SasAddress } from '../../sources/sas/identity.ts';
import { refusalOf, refused } from '../../sources/sas/refusal.ts';
import { instant, modelSchema, type SasModel } from '../../sources/sas/wire.ts';

/** Somebody else may write the model at the same time; each lost race is one more reading. */
const TRIES = 4;
/** Missing, and out of date. */
const STALE = [412, 428];
const MOST_TEXT = 500;

type Properties = Readonly<Record<string, string>>;

/** What a model in SAS says about its last deployment. One model may go to several environments: the newest outcome stands. */
export function evidenceOf(answer: Answer): Properties {
  const { outcome, changeId, environment, version, at, mergeCommit, pullRequest, reason } = answer;
  return {
    fairwayOutcome: outcome,
    fairwayChange: changeId,
    fairwayEnvironment: environment,
    fairwayVersion: version,
    fairwayAt: at,
    // Empty rather than left out: what an earlier outcome has written must not stand beside this one.
    fairwayMergeCommit: mergeCommit ?? '',
    fairwayPullRequest: pullRequest ?? '',
    fairwayReason: (reason ?? '').slice(0, MOST_TEXT),
  };
}

/** Last, when the workflow has been told as well: a repetition of the answer sees it and does nothing. */
export const TOLD = 'fairwayAnswered';

export type Evidence = 'written' | 'gone';

export const propertyOf = ({ properties }: SasModel, name: string): string | undefined => {
  const value = properties.find((property) => property.name === name)?.value;
  return typeof value === 'string' ? value : undefined;
};

/** Undefined: the model is no more. */
export async function modelNow(server: SasServer, { modelId }: SasAddress): Promise<SasModel | undefined> {
  return (await server.find(pathOf(modelId), modelSchema, `to read model ${modelId}`))?.value;
}

/**
 * Writes properties of a model: SAS takes whole models only, and only with the ETag that it gave, as it gave it. Does nothing
 * where they stand already, or where newer evidence does.
 */
export async function writeProperties(server: SasServer, modelId: string, wanted: Properties): Promise<Evidence> {
  const what = `to write the properties of model ${modelId}`;
  for (let turn = 0; turn < TRIES; turn += 1) {
    const read = await server.call('GET', pathOf(modelId));
    const refusal = refusalOf(read);
    if (read.status === 404 && !refusal.isPage) return 'gone';
    if (read.status >= 300) throw refused(what, refusal);
    const model = parsed(modelSchema, read, what);
    if (stands(model, wanted)) return 'written';
    const etag = read.headers['etag'];
    const answer = await server.call('PUT', pathOf(modelId), {
      headers: { 'content-type': MODEL_TYPE, ...(etag === undefined ? {} : { 'if-match': etag }) },
      body: { json: { ...raw.parse(read.data), properties: merged(model, wanted) } },
    });
    if (answer.status < 300) return 'written';
    if (!STALE.includes(answer.status)) throw refused(what, refusalOf(answer));
  }
  throw new FairwayError(
    'registry.unavailable',
    `Model ${modelId} in SAS (SAS_URL) was changed by others each time that Fairway wrote to it; it is tried again.`,
  );
}

const MODEL_TYPE = 'application/vnd.sas.models.model+json';
const raw = z.record(z.string(), z.unknown());

const pathOf = (modelId: string): string => `/modelRepository/models/${checkId('A model', modelId)}`;

function stands(model: SasModel, wanted: Properties): boolean {
  const [theirs, ours] = [instant(propertyOf(model, 'fairwayAt')), instant(wanted['fairwayAt'])];
  if (theirs !== undefined && ours !== undefined && theirs > ours) return true;
  return Object.entries(wanted).every(([name, value]) => propertyOf(model, name) === value);
}

function merged({ properties }: SasModel, wanted: Properties): unknown[] {
  const others = properties.filter(({ name }) => wanted[name] === undefined);
  return [...others, ...Object.entries(wanted).map(([name, value]) => ({ name, value, type: 'string' }))];
}
