import { gzipSync } from 'node:zlib';
import { encodeExchange, type Exchange, type GroundTruth, iso, type Pack, packId } from '@fairway/core';
import type { Mapping, Scored } from './mapping.ts';

/** As the agent's pump has it: speed before the last 13 % of bytes. */
const GZIP_LEVEL = 1;

/** Where a predict call made of rows belongs; `at` is its business time, ms. */
export type CallPlace = { readonly id: string; readonly seq: number; readonly at: number };

/** The predict call that rows of one moment amount to, and the labels of its predictions. */
export function predictCall(
  { modelVersion, environment }: Pick<Mapping, 'modelVersion' | 'environment'>,
  { id, seq, at }: CallPlace,
  rows: readonly Scored[],
): { readonly exchange: Exchange; readonly labels: readonly GroundTruth[] } {
  const { model, version } = modelVersion;
  const request = Buffer.from(`{"instances": [${rows.map(({ instance }) => instance).join(', ')}]}`);
  const response = Buffer.from(`{"predictions": [${rows.map(({ prediction }) => prediction).join(', ')}]}`);
  const head = {
    v: 1,
    id,
    seq,
    time: iso(at),
    model,
    version,
    // Whoever brings the rows pins the version, as a caller of the model would in the URL.
    versionSource: 'url',
    environment,
    method: 'POST',
    target: `/v1/models/${model}/versions/${version}:predict`,
    status: 200,
    latencyMs: 0,
    outcome: 'complete',
    requestLength: request.length,
    responseLength: response.length,
  } as const;
  const labels = rows.flatMap(({ label }, index) => (label === undefined ? [] : [{ id: `${id}-${index}`, label }]));
  return { exchange: { head, request, response }, labels };
}

/** Which part of which epoch a pack is; `dropped` are the losses of the epoch so far, by reason. */
export type PackBounds = Pick<Pack, 'agent' | 'epoch' | 'first' | 'last' | 'dropped'>;

/** The pack of these exchanges: the same ones within the same bounds give the same job, whichever process makes it. */
export function packOf({ agent, epoch, first, last, dropped }: PackBounds, exchanges: readonly Exchange[]): Pack {
  const bytes = gzipSync(Buffer.concat(exchanges.map(encodeExchange)), { level: GZIP_LEVEL });
  const id = packId(agent, epoch, first, last);
  const payload = bytes.toString('base64');
  return { v: 1, packId: id, agent, epoch, first, last, exchanges: exchanges.length, payload, dropped };
}
