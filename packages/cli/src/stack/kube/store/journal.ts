import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { FairwayError } from '@fairway/core';
import type { KubeObject } from '../objects.ts';

/** One line of the journal: an object as it is from this version on, or its removal. */
type Entry =
  | { readonly version: number; readonly key: string; readonly object: KubeObject }
  | { readonly version: number; readonly key: string; readonly removed: true };

/** What a journal holds after a restart. */
type Recovered = { readonly version: number; readonly objects: ReadonlyMap<string, KubeObject> };

export type Journal = {
  readonly recovered: Recovered;
  /** Returns after the line is in the file; throws `disk.full` and leaves the file as it was when it does not fit. */
  append(entry: Entry): void;
  close(): void;
};

/** A file grows to this size before it is written anew with only what still exists. */
const COMPACT_BYTES = 32 * 1024 * 1024;

/**
 * Opens `<dir>/objects.jsonl`: an append-only file that survives kill -9 at any byte (a torn last line is dropped).
 * It is written without fsync: it protects against the death of the process, not of the machine.
 */
export function openJournal(dir: string): Journal {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, 'objects.jsonl');
  const recovered = recover(existsSync(file) ? readFileSync(file, 'utf8') : '');
  let live = new Map(recovered.objects);
  let version = recovered.version;
  let descriptor = rewrite(file, version, live);
  let size = fstatSync(descriptor).size;

  return {
    recovered,
    append(entry) {
      const line = Buffer.from(`${JSON.stringify(entry)}\n`);
      writeWhole(descriptor, line, size);
      size += line.length;
      version = entry.version;
      if ('object' in entry) live.set(entry.key, entry.object);
      else live.delete(entry.key);
      if (size < COMPACT_BYTES) return;
      const compacted = rewrite(file, version, live);
      closeSync(descriptor);
      descriptor = compacted;
      size = fstatSync(descriptor).size;
    },
    close() {
      closeSync(descriptor);
      live = new Map();
    },
  };
}

function recover(content: string): Recovered {
  const objects = new Map<string, KubeObject>();
  let version = 0;
  for (const line of content.split('\n').slice(0, -1)) {
    const entry = JSON.parse(line) as Entry;
    version = Math.max(version, entry.version);
    if ('object' in entry) objects.set(entry.key, entry.object);
    else objects.delete(entry.key);
  }
  return { version, objects };
}

/** Writes the living objects beside the file and renames it over: a reader sees the old file or the new one, whole. */
function rewrite(file: string, version: number, objects: ReadonlyMap<string, KubeObject>): number {
  const head: Entry = { version, key: '', removed: true };
  const entries: Entry[] = [head, ...[...objects].map(([key, object]) => ({ version, key, object }))];
  const descriptor = openSync(`${file}.new`, 'w', 0o600);
  try {
    writeWhole(descriptor, Buffer.from(entries.map((entry) => `${JSON.stringify(entry)}\n`).join('')), 0);
    renameSync(`${file}.new`, file);
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function writeWhole(descriptor: number, bytes: Buffer, at: number): void {
  try {
    for (let done = 0; done < bytes.length; )
      done += writeSync(descriptor, bytes, done, bytes.length - done, at + done);
  } catch (error) {
    ftruncateSync(descriptor, at);
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    throw new FairwayError(
      'disk.full',
      'The cluster cannot store the object because the disk is full: free some space.',
      {
        cause: error,
      },
    );
  }
}
