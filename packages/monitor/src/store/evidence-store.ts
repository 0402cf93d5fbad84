import type { Baseline } from '@fairway/core';
import type { Pool, PoolClient } from 'pg';
import type { EvidenceStore, KeptEvidence } from '../ports/evidence.ts';
import type { WindowCounts } from '../ports.ts';

const KNOWN_PARTS = 'select hash from monitoring.evidence_parts where hash = any($1)';

/** Sorted by hash, so that two verdicts at once cannot wait for each other. */
const INSERT_PARTS = `
insert into monitoring.evidence_parts (hash, body)
select hash, body from unnest($1::text[], $2::text[]) as part (hash, body) order by hash on conflict do nothing`;

const INSERT_EVIDENCE = `
insert into monitoring.verdict_evidence (verdict, counts, earlier, baseline, policy, blob, judging)
values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`;

const EVIDENCE = `
select v.body as verdict, e.counts, e.earlier, e.baseline, e.policy, e.blob, e.judging
from monitoring.verdicts v left join monitoring.verdict_evidence e on e.verdict = v.id where v.id = $1`;

const PARTS = 'select hash, body from monitoring.evidence_parts where hash = any($1)';

/** Within the transaction that keeps the verdict. Most parts are there already: only what is new crosses the wire. */
export async function insertEvidence(client: PoolClient, verdict: string, evidence: KeptEvidence): Promise<void> {
  const { counts, earlier, baseline, policy, blob, judging, parts } = evidence;
  const { rows } = await client.query<{ hash: string }>(KNOWN_PARTS, [[...parts.keys()]]);
  const known = new Set(rows.map(({ hash }) => hash));
  const missing = [...parts].filter(([hash]) => !known.has(hash));
  if (missing.length > 0) {
    await client.query(INSERT_PARTS, [missing.map(([hash]) => hash), missing.map(([, body]) => body)]);
  }
  await client.query(INSERT_EVIDENCE, [verdict, counts, earlier, baseline, policy, blob, judging]);
}

type Row = { readonly verdict: string } & (
  | { readonly counts: null }
  | {
      readonly counts: string;
      readonly earlier: readonly string[];
      readonly baseline: string | null;
      readonly policy: string;
      readonly blob: string;
      readonly judging: number | null;
    }
);

/** What verdicts were made from, in PostgreSQL. */
export function evidenceStore(pool: Pool): EvidenceStore {
  return {
    evidence: async (id) => {
      const row = (await pool.query<Row>(EVIDENCE, [id])).rows[0];
      if (row === undefined) return undefined;
      if (row.counts === null) return { kept: false };
      const hashes = [row.counts, ...row.earlier, row.policy, ...(row.baseline === null ? [] : [row.baseline])];
      const found = await pool.query<{ hash: string; body: string }>(PARTS, [hashes]);
      const parts = new Map(found.rows.map(({ hash, body }) => [hash, body]));
      const parse = (hash: string): unknown => JSON.parse(parts.get(hash) ?? 'null');
      return {
        verdict: row.verdict,
        counts: parse(row.counts) as WindowCounts,
        earlier: row.earlier.map((hash) => parse(hash) as WindowCounts),
        baseline: row.baseline === null ? null : (parse(row.baseline) as Baseline),
        policy: { blob: row.blob, text: parts.get(row.policy) ?? '' },
        judging: row.judging,
      };
    },
  };
}
