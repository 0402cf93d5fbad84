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
  // Columns are of about the same length: what one no longer needs holds the next, which a collector would be late to know.
  const free: ArrayBuffer[] = [];
  const room: Room = {
    take: (bytes) => {
      const at = free.findIndex((buffer) => buffer.byteLength >= bytes);
      if (at >= 0) return free.splice(at, 1)[0] as ArrayBuffer;
      free.length = 0;
      // The next column may be a little longer; pages that nobody writes cost nothing.
      return new ArrayBuffer(2 ** Math.ceil(Math.log2(bytes)));
    },
    give: (buffer) => free.push(buffer),
  };
  const newFile = (): number => {
    folder ??= mkdtempSync(join(tmpdir(), 'fairway-columns-'));
    const file = openSync(join(folder, String(files++)), 'w+');
    open.push(file);
    return file;
  };
  return {
    newColumn: () => spooledColumn(newFile, room),
    close: () => {
      for (const file of open.splice(0)) closeSync(file);
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
      folder = undefined;
      free.length = 0;
    },
  };
}

type Room = { take(bytes: number): ArrayBuffer; give(buffer: ArrayBuffer): void };

function spooledColumn(newFile: () => number, room: Room): Column {
  let block = new Float64Array(64);
  let held = 0;
  let spilled = 0;
  let file: number | undefined;
  let isSorted = true;
  let lent: ArrayBuffer | undefined;
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
      if (file !== undefined) lent ??= room.take(spilled * 8);
      const values = lent === undefined ? block.subarray(0, held) : new Float64Array(lent, 0, spilled);
      if (file !== undefined) read(file, values);
      // Sorted once; the file is read again for every window.
      if (!isSorted) values.sort();
      if (!isSorted && file !== undefined) write(file, values, 0);
      isSorted = true;
      return values;
    },
    done: () => {
      if (lent !== undefined) room.give(lent);
      lent = undefined;
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

function read(file: number, values: Float64Array): void {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  for (let done = 0; done < bytes.length; ) {
    const got = readSync(file, bytes, done, bytes.length - done, done);
    if (got === 0) throw new Error('A scratch file became shorter while it was read.');
    done += got;
  }
}
