import type { Pool } from 'pg';
import type { Reference, ReferenceStore } from '../ports.ts';

const REFERENCE = `
select model_version as "modelVersion", baseline from monitoring.model_references where model = $1 and version = $2`;

const KEEP_REFERENCE = `
insert into monitoring.model_references (model, version, model_version, baseline) values ($1, $2, $3, $4)
on conflict (model, version) do nothing`;

/** Committed references, kept as JSON text (`json`, not `jsonb`): edges stay at full double precision. */
export function referenceStore(pool: Pool): ReferenceStore {
  return {
    reference: async (model, version) => (await pool.query<Reference>(REFERENCE, [model, version])).rows[0],
    keepReference: async ({ modelVersion, baseline }) => {
      const { model, version } = modelVersion;
      await pool.query(KEEP_REFERENCE, [model, version, JSON.stringify(modelVersion), JSON.stringify(baseline)]);
    },
  };
}
