import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { FairwayError, gate } from '@fairway/core';
import type { ArtifactLimits } from './artifacts/paths.ts';
import type { Artifact, ArtifactStore } from './artifacts/store.ts';

const WIDTH = 4;

/** `to`: path below the private folder. */
export type Wanted = { readonly artifact: Artifact; readonly to: string };
export type Fetched = { readonly folder: string; dispose(): Promise<void> };

/** Fetches files into a new private folder below `scratch`, four at a time. Nothing is left when it throws. */
export async function fetchFiles(
  store: ArtifactStore,
  wanted: readonly Wanted[],
  scratch: string,
  limits: ArtifactLimits,
): Promise<Fetched> {
  await mkdir(scratch, { recursive: true }).catch(asDiskError);
  const folder = await mkdtemp(join(scratch, 'mlflow-')).catch(asDiskError);
  const dispose = () => rm(folder, { recursive: true, force: true });
  const stop = new AbortController();
  const through = gate(WIDTH);
  const budget = { left: limits.bytes };
  const all = wanted.map(({ artifact, to }) =>
    through(async () => {
      if (!stop.signal.aborted) await fetchOne(store, artifact, join(folder, to), budget, stop.signal);
    }).catch((error: unknown) => {
      stop.abort();
      throw error;
    }),
  );
  // What still writes while the folder is removed could make it again. The first failure comes first: it stops the others.
  let first: unknown;
  await Promise.all(all.map((one) => one.catch((error: unknown) => (first ??= error))));
  if (first === undefined) return { folder, dispose };
  await dispose();
  throw first;
}

type Budget = { left: number };

async function fetchOne(
  store: ArtifactStore,
  artifact: Artifact,
  file: string,
  budget: Budget,
  signal: AbortSignal,
): Promise<void> {
  const body = await store.open(artifact, signal);
  try {
    await mkdir(dirname(file), { recursive: true });
    await pipeline(body, counted(artifact, budget), createWriteStream(file, { flags: 'wx' }), { signal });
  } catch (error) {
    body.destroy();
    throw error instanceof FairwayError ? error : brokenOff(artifact, error);
  }
}

/** A small file of the version, in memory. */
export async function fetchText(store: ArtifactStore, artifact: Artifact, most: number): Promise<string> {
  const stop = new AbortController();
  const body = await store.open(artifact, stop.signal);
  const chunks: Buffer[] = [];
  try {
    await pipeline(body, counted(artifact, { left: most }), async (source: AsyncIterable<Buffer>) => {
      for await (const chunk of source) chunks.push(chunk);
    });
    return Buffer.concat(chunks).toString('utf8');
  } catch (error) {
    throw error instanceof FairwayError ? error : brokenOff(artifact, error);
  } finally {
    body.destroy();
  }
}

/** Ends the stream when it is longer than it was listed, or than what is left of the limit; and when it is shorter. */
function counted({ path, size }: Artifact, budget: Budget): Transform {
  let seen = 0;
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      seen += chunk.length;
      budget.left -= chunk.length;
      if (size !== undefined && seen > size) done(otherSize(path, size, `more than ${size}`));
      else if (budget.left < 0) done(tooLarge(path));
      else done(null, chunk);
    },
    flush: (done) => done(size === undefined || seen === size ? null : otherSize(path, size, String(seen))),
  });
}

const otherSize = (path: string, size: number, came: string): FairwayError =>
  new FairwayError(
    'registry.unavailable',
    `${path} was listed with ${size} bytes, and ${came} came; it was cut off or changed meanwhile. Try again.`,
  );

const tooLarge = (path: string): FairwayError =>
  new FairwayError(
    'model.invalid',
    `${path} and what was fetched before it are larger than a model may be; register a smaller one.`,
  );

function brokenOff({ path }: Artifact, error: unknown): FairwayError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC') return diskFull();
  return new FairwayError('registry.unavailable', `Fetching ${path} broke off (${code ?? message}); try again.`);
}

function asDiskError(error: NodeJS.ErrnoException): never {
  if (error.code === 'ENOSPC') throw diskFull();
  throw new FairwayError(
    'disk.full',
    `No copy of the model can be made below DATA_DIR (${error.code}); mend the folder.`,
  );
}

const diskFull = (): FairwayError =>
  new FairwayError('disk.full', 'There is no space left below DATA_DIR for a copy of the model; free some.');
