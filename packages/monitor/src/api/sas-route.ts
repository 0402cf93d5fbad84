import { FairwayError } from '@fairway/core';
import express, { type Request, Router } from 'express';
import type { SasTable } from '../app/sas-tables.ts';

type Needs = {
  readonly make: (model: string, prefix: string) => Promise<readonly string[]>;
  readonly made: (model: string) => Promise<readonly SasTable[]>;
  /** Where the caller names none. */
  readonly prefix: string | undefined;
};

/** `POST /v1/models/:model/sas-tables` `{prefix?}`: makes what is due; answers `{new: names, tables: SasTable[]}`. */
export function sasRoute({ make, made, prefix }: Needs): Router {
  const router = Router();
  router.post('/models/:model/sas-tables', express.json({ limit: '4kb' }), async (request, response) => {
    const { model } = request.params;
    const names = await make(model, prefixOf(request) ?? given(prefix));
    response.json({ new: names, tables: await made(model) });
  });
  return router;
}

function prefixOf({ body }: Request): string | undefined {
  const { prefix } = (body ?? {}) as Record<string, unknown>;
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
