import { type EnvOf, type Logger, optionalText, type Part } from '@fairway/core';
import type { Router } from 'express';
import type { Pool } from 'pg';
import { SAS_PREFIX, SAS_PREFIX_RULE, sasRoute } from './api/sas-route.ts';
import { rounds } from './app/rounds.ts';
import { makeSasBaseline } from './app/sas-baseline.ts';
import { makeSasTables, type SasNeeds } from './app/sas-tables.ts';
import type { JudgeStore } from './ports.ts';
import { sasTables } from './store/sas-tables.ts';

/** Settings of the performance tables for SAS Model Manager; without a prefix none is made unasked. */
export const SAS_ENV = {
  SAS_TABLES_PREFIX: {
    about: 'makes a performance table for SAS Model Manager when a period closes; begins their names',
    read: (raw: string | undefined) =>
      raw === undefined || SAS_PREFIX.test(raw) ? { value: raw } : { problem: SAS_PREFIX_RULE },
  },
  SAS_TABLES_SCHEMA: optionalText('schema of these tables (sas)'),
};

const REST_MS = 60_000;

type Needs = Omit<SasNeeds, 'store' | 'counts'> & {
  readonly store: Pick<JudgeStore, 'counts'>;
  readonly pool: Pool;
  readonly env: EnvOf<typeof SAS_ENV>;
  /** Models that have been judged. */
  readonly models: () => Promise<Iterable<string>>;
  readonly log: Logger;
};

/** The route that makes tables when asked, and, with a prefix, the part that makes them when their period closes. */
export function sasPerformanceTables({ pool, env, models, store: judged, log, ...needs }: Needs): {
  readonly route: Router;
  readonly parts: readonly Part[];
} {
  const store = sasTables(pool, env.SAS_TABLES_SCHEMA ?? 'sas');
  const prefix = env.SAS_TABLES_PREFIX;
  const make = (model: string, begin: string) =>
    makeSasTables({ ...needs, store, counts: (window) => judged.counts(window) }, model, begin);
  const route = sasRoute({
    make,
    made: (model) => store.made(model),
    baseline: (series, begin, data) => makeSasBaseline({ ...needs, store }, series, begin, data),
    prefix,
  });
  if (prefix === undefined) return { route, parts: [] };
  const round = async () => {
    for (const model of new Set(await models())) {
      // A name that does not fit, or is taken, keeps one model from its tables and no other.
      const names = await make(model, prefix).catch((error: Error) =>
        log.warn({ model, reason: error.message }, 'no SAS table'),
      );
      if (names !== undefined && names.length > 0) log.info({ model, tables: names }, 'SAS tables made');
    }
    return false;
  };
  return { route, parts: [rounds('sas tables', round, REST_MS, log)] };
}
