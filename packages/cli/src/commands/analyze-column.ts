import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Column } from '@fairway/monitor';

/** Numbers of a column that are held in memory; more of them lie in a file. */
const BLOCK = 32 * 1024;

export type Spool = { newColumn(): Column; close(): void };

/**
 * Columns that are in memory while they are small and in unlinked-at-the-end files of a scratch folder once they are not: what
 * a table costs in memory is one sorted column at a time, 8 bytes a row.
 */
export function openSpool(): Spool {
  let folder: string | undefined;
  let files = 0;
  const open: number[] = [];
  const newFile = (): number => {
    folder ??= mkdtempSync(join(tmpdir(), 'fairway-columns-'));
    const file = openSync(join(folder, String(files++)), 'w+');
    open.push(file);
    return file;
  };
  return {
    newColumn: () => spooledColumn(newFile),
    close: () => {
      for (const file of open.splice(0)) closeSync(file);
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
      folder = undefined;
    },
  };
}

function spooledColumn(newFile: () => number): Column {
  let block = new Float64Array(64);
  let held = 0;
  let spilled = 0;
  let file: number | undefined;
  let isSorted = true;
  const spill = () => {
    file ??= newFile();
    write(file, block.subarray(0, held), spilled);
    spilled += held;
    held = 0;
  };
  return {
    push: (value) => {
      if (held === block.length) {
        if (held === BLOCK) spill();
        else block = grown(block);
      }
      block[held++] = value;
      isSorted = false;
    },
    sorted: () => {
      if (file !== undefined && held > 0) spill();
      const values = file === undefined ? block.subarray(0, held) : read(file, spilled);
      // Sorted once; the file is read again for every window.
      if (!isSorted) values.sort();
      if (!isSorted && file !== undefined) write(file, values, 0);
      isSorted = true;
      return values;
    },
  };
}

function grown(block: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(Math.min(BLOCK, block.length * 4));
  larger.set(block);
  return larger;
}

function write(file: number, values: Float64Array, at: number): void {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(file, bytes, done, bytes.length - done, at * 8 + done);
  }
}

function read(file: number, count: number): Float64Array {
  const values = new Float64Array(count);
  const bytes = new Uint8Array(values.buffer);
  for (let done = 0; done < bytes.length; ) {
    const got = readSync(file, bytes, done, bytes.length - done, done);
    if (got === 0) throw new Error('A scratch file became shorter while it was read.');
    done += got;
  }
  return values;
}
