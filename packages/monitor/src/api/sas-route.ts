import { checkName, checkVersion, FairwayError } from '@fairway/core';
import express, { type Request, Router } from 'express';
import type { SasBaseline, TrainingData } from '../app/sas-baseline.ts';
import type { Series } from '../app/sas-names.ts';
import type { SasTable } from '../app/sas-tables.ts';
import { delimiterOf } from './labels-route.ts';

type Needs = {
  readonly make: (model: string, prefix: string) => Promise<readonly string[]>;
  readonly made: (model: string) => Promise<readonly SasTable[]>;
  readonly baseline: (series: Series, prefix: string, data: TrainingData) => Promise<SasBaseline>;
  /** Where the caller names none. */
  readonly prefix: string | undefined;
};

/**
 * `POST /v1/models/:model/sas-tables` `{prefix?}`: makes what is due; answers `{new: names, tables: SasTable[]}`.
 * `POST /v1/models/:model/versions/:version/sas-baseline?environment=&prefix=&delimiter=` with the training data as `text/csv`,
 * of any length: makes the first table; answers {@link SasBaseline}.
 */
export function sasRoute({ make, made, baseline, prefix }: Needs): Router {
  const router = Router();
  router.post('/models/:model/sas-tables', express.json({ limit: '4kb' }), async (request, response) => {
    const { model } = request.params;
    const { prefix: asked } = (request.body ?? {}) as Record<string, unknown>;
    const names = await make(model, prefixOf(asked) ?? given(prefix));
    response.json({ new: names, tables: await made(model) });
  });
  router.post('/models/:model/versions/:version/sas-baseline', async (request, response) => {
    const { query } = request;
    const delimiter = delimiterOf(query['delimiter']);
    // Not ended where reading stops: the answer, which says why, goes out on the same connection.
    const body = (request as Request).iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
    const begin = prefixOf(query['prefix']) ?? given(prefix);
    response.json(await baseline(seriesOf(request), begin, { body, delimiter }));
  });
  return router;
}

function seriesOf({ params, query, headers }: Request<{ model: string; version: string }>): Series {
  if (!/^text\/csv\b/i.test(headers['content-type'] ?? '')) {
    throw new FairwayError('input.invalid', 'Send the training data as text/csv.');
  }
  const model = checkName('Model', params.model);
  const environment = checkName('Environment', typeof query['environment'] === 'string' ? query['environment'] : '');
  return { model, version: checkVersion(params.version), environment };
}

function prefixOf(prefix: unknown): string | undefined {
  if (prefix === undefined) return undefined;
  if (typeof prefix === 'string' && SAS_PREFIX.test(prefix)) return prefix;
  throw new FairwayError('input.invalid', `prefix ${SAS_PREFIX_RULE}.`);
}

function given(prefix: string | undefined): string {
  if (prefix !== undefined) return prefix;
  throw new FairwayError('input.invalid', 'SAS tables need a prefix: name one, or set SAS_TABLES_PREFIX.');
}

export const SAS_PREFIX = /^[A-Za-z][A-Za-z0-9]{0,15}$/;
export const SAS_PREFIX_RULE = 'must be 1 to 16 letters and digits, a letter first, and no underscore';
