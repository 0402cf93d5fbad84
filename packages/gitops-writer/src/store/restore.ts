import { sha256 } from '@fairway/core';
import type { Pool, PoolClient } from 'pg';
import type { ChangeRestorer, RestoredChange, Restoration } from '../ports.ts';
import * as sql from './sql.ts';
import { transaction } from './transaction.ts';

const INSERT_RESTORED = `
INSERT INTO changes.changes
  (id, kind, model, version, environment, digest, phase, reason, branch, image, pull_request, actor, evidence, facts, history,
   created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
ON CONFLICT DO NOTHING`;

/** Insertion order is the order of decisions: a row that comes late would count as newer than what is there. */
const FIND_YOUNGER = `
SELECT 1 FROM changes.changes
WHERE model = $1 AND environment = $2 AND created_at > $3 AND NOT id = ANY ($4) LIMIT 1`;

/** Writes restored changes with what belongs to them: events, and what the registry said when they were approved. */
export function changeRestorer(pool: Pool): ChangeRestorer {
  return {
    restore: (changes) =>
      transaction(pool, async (client) => {
        await client.query(sql.LOCK_NAME, ['rebuild']);
        const ids = changes.map(({ change }) => change.id);
        const results: Restoration[] = [];
        for (const restored of changes) results.push(await restoreOne(client, restored, ids));
        return results;
      }),
  };
}

async function restoreOne(client: PoolClient, restored: RestoredChange, all: readonly string[]): Promise<Restoration> {
  const { change, event, loaded } = restored;
  const known = await client.query(sql.FIND_CHANGE, [change.id]);
  if (known.rowCount !== 0) return 'known';
  const younger = await client.query(FIND_YOUNGER, [change.model, change.environment, change.createdAt, all]);
  if (younger.rowCount !== 0) return 'late';
  const { rowCount } = await client.query(INSERT_RESTORED, valuesOf(restored));
  // One open retraining for a model, one way back for an environment: another one holds the place.
  if (rowCount === 0) return 'late';
  const remember = change.kind === 'deploy' ? sql.INSERT_APPROVAL : sql.INSERT_REQUEST;
  await client.query(remember, [event, change.id]);
  if (loaded !== undefined) {
    const { modelVersion, baseline, golden } = loaded;
    const { model, version, digest } = modelVersion;
    const json = [JSON.stringify(modelVersion), JSON.stringify(baseline)];
    await client.query(sql.INSERT_LOADED, [model, version, digest, ...json]);
    if (golden !== undefined) await client.query(sql.INSERT_GOLDEN, [sha256(golden), golden]);
  }
  return 'restored';
}

function valuesOf({ change, evidence, facts }: RestoredChange): unknown[] {
  const { id, kind, model, version, environment, digest, phase, reason, branch, image, pullRequest, actor } = change;
  return [
    id,
    kind,
    model,
    version,
    environment,
    digest,
    phase,
    reason,
    branch,
    image,
    pullRequest === undefined ? undefined : JSON.stringify(pullRequest),
    actor,
    JSON.stringify(evidence),
    JSON.stringify(facts),
    JSON.stringify(change.history),
    change.createdAt,
    change.updatedAt,
  ];
}
