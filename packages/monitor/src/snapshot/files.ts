import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type Clock, FairwayError, hashFields, type ModelVersion } from '@fairway/core';
import type { PoolClient } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { SnapshotBounds, Snapshots } from '../ports.ts';
import { snapshotColumns, snapshotQuery, snapshotRows } from './query.ts';

const PARTIAL = '.partial';
/** Higher levels cost several times the CPU for a fifth of the size. */
const GZIP_LEVEL = 1;
/** A snapshot that is being taken is written to all the time, once its rows are sorted. */
const DEAD_AFTER_MS = 3_600_000;

/** Runs reads in one repeatable-read transaction. */
type InSnapshot = <T>(work: (client: PoolClient) => Promise<T>) => Promise<T>;

/** Snapshots as gzip'd CSV files in `directory`: streamed, synced, and visible under their name only when whole. */
export function snapshotFiles(inSnapshot: InSnapshot, directory: string, clock: Clock): Snapshots {
  return {
    take: async (...asked) => {
      await prepareSnapshots(directory, clock);
      return takeSnapshot(inSnapshot, directory, ...asked);
    },
  };
}

/**
 * Makes the directory, and takes away what a killed process left half-written. The directory is shared by replicas: what one
 * of them may be writing now stays, and goes before a later snapshot if it was left after all.
 */
export async function prepareSnapshots(directory: string, clock: Clock): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const name of await readdir(directory)) {
    if (!name.endsWith(PARTIAL)) continue;
    // Gone meanwhile: whole, or taken away by another replica.
    const written = await stat(join(directory, name)).catch(() => undefined);
    if (written !== undefined && written.mtimeMs < clock.now() - DEAD_AFTER_MS)
      await rm(join(directory, name), { force: true });
  }
}

async function takeSnapshot(
  inSnapshot: InSnapshot,
  directory: string,
  bounds: SnapshotBounds,
  modelVersion: ModelVersion,
  classes?: readonly string[],
): ReturnType<Snapshots['take']> {
  const query = snapshotQuery(bounds, modelVersion, classes);
  const base = `${bounds.model}-${bounds.version}-${bounds.environment}-${bounds.end.slice(0, 10)}`;
  // Not the process id: in containers that share the directory it is the same.
  const partial = join(directory, `.${base}-${randomUUID()}${PARTIAL}`);
  const isAboutEvents = classes === undefined && modelVersion.target.level !== 'interval';
  try {
    // One snapshot of the database for the counts and the rows: a label that arrives meanwhile is in both or in neither.
    const { counts, sha256 } = await inSnapshot(async (client) => ({
      counts: { ...(await countRows(client, bounds)), ...(isAboutEvents ? {} : { events: 0 }) },
      sha256: await streamRows(client, query, partial),
    }));
    const file = `${base}-${sha256.slice(0, 12)}.csv.gz`;
    await rename(partial, join(directory, file));
    await sync(directory);
    const { model, version, environment, start, end } = bounds;
    const id = hashFields([query, sha256]).slice(0, 20);
    const columns = snapshotColumns(modelVersion, classes);
    return { id, model, version, environment, file, query, start, end, ...counts, columns, sha256 };
  } catch (error) {
    await rm(partial, { force: true });
    throw (error as NodeJS.ErrnoException).code === 'ENOSPC' ? diskFull(error) : error;
  }
}

async function countRows(
  client: PoolClient,
  bounds: SnapshotBounds,
): Promise<{ rows: number; labels: number; events: number }> {
  const sql = `select count(*)::float8 as rows, coalesce(sum(label), 0)::float8 as events ${snapshotRows(bounds)}`;
  const { rows } = await client.query<{ rows: number; events: number }>(sql);
  const found = rows[0] ?? { rows: 0, events: 0 };
  return { rows: found.rows, labels: found.rows, events: found.events };
}

/** Streams the rows as CSV with a header line; answers the sha256 of the uncompressed bytes. */
async function streamRows(client: PoolClient, query: string, path: string): Promise<string> {
  const hash = createHash('sha256');
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  // The rows are sorted; in the default 4 MB that would be dozens of runs on the disk of the database.
  await client.query("set local work_mem = '64MB'");
  const rows = client.query(copyTo(`copy (${query}) to stdout with (format csv, header true)`));
  await pipeline(rows, hashing, createGzip({ level: GZIP_LEVEL }), createWriteStream(path, { mode: 0o644 }));
  await sync(path);
  return hash.digest('hex');
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const diskFull = (cause: unknown) =>
  new FairwayError(
    'disk.full',
    'The snapshot does not fit on the disk of SNAPSHOT_DIR; make room, it will be tried again.',
    {
      cause,
    },
  );
