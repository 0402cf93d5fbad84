import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { FairwayError, sha256 } from '@fairway/core';
import type { Loan } from './columns.ts';
import { INPUTS, TARGET } from './columns.ts';
import { parseRows, toLoan } from './csv.ts';

/** A labelled loan from production and the business time of its prediction, in milliseconds. */
export type FieldLoan = { readonly at: number; readonly loan: Loan };

/**
 * Reads a snapshot (gzip'd CSV). Throws `input.invalid` when it is missing, not gzip, malformed, or when the
 * uncompressed bytes do not have the hash that the pull request was approved with.
 */
export async function readSnapshot(file: string, expected: string): Promise<FieldLoan[]> {
  const bytes = unzip(file, await read(file));
  if (sha256(bytes) !== expected) {
    throw new FairwayError(
      'input.invalid',
      `${file} does not hold the data of the approved retraining: its sha256 is ${sha256(bytes)}, not ${expected}. Restore the snapshot, or propose the retraining again.`,
    );
  }
  const rows = parseRows(file, bytes.toString('utf8'), ['time', ...INPUTS, TARGET]);
  return rows.map((row) => {
    const at = Date.parse(row.cells['time'] ?? '');
    if (Number.isNaN(at)) {
      throw new FairwayError('input.invalid', `${file}, line ${row.line}, column time: not an RFC 3339 time.`);
    }
    return { at, loan: toLoan(file, row) };
  });
}

async function read(file: string): Promise<Buffer> {
  return readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new FairwayError('input.invalid', `There is no snapshot ${file}; check the volume of the retrain Job.`);
  });
}

function unzip(file: string, bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw new FairwayError('input.invalid', `${file} is no gzip file; the snapshot was damaged on its way.`, {
      cause: error,
    });
  }
}
