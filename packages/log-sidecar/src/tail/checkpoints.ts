import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FairwayError } from '@fairway/core';

/**
 * How far one incarnation of a file is recorded. An incarnation is what a file holds from its beginning until it is
 * truncated or replaced; it keeps its epoch when it is renamed, copied away or compressed.
 */
export type Checkpoint = {
  readonly v: 1;
  readonly epoch: string;
  /** Hash of model, environment, device, inode and head with which it was first seen; and device and inode alone. */
  readonly birth: string;
  readonly born: string;
  /** Device and inode where it is, or was last. */
  readonly key: string;
  readonly path: string;
  /** The first bytes, by hash: a file with another head is another one. */
  readonly head: { readonly bytes: number; readonly print: string };
  /** null: JSON Lines. */
  readonly delimiter: string | null;
  /** Names of the columns of a CSV. */
  readonly columns: readonly string[] | null;
  /** Everything before is in the queue. It is where a line begins. */
  readonly offset: number;
  /** Rows before the offset: the sequence number of the last one. */
  readonly seq: number;
  /** Hash of the bytes just before the offset. */
  readonly print: string;
  /** Rows of this epoch that were refused, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
  /** Bounds of the pack that may be in the queue already: it must be made again as it was. */
  readonly pending?: Bounds;
  /** Why nothing will be appended any more. */
  readonly ended?: 'truncated' | 'gone';
};

/** Where a pack ends; `isLast`: what is left without a line end belongs to it. */
export type Bounds = { readonly end: number; readonly isLast: boolean };

const SUFFIX = '.json';

/** One file per incarnation in a folder of the tail's own, each written whole: temporary file, fsync, rename. */
export class Checkpoints {
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** All of them, in the order of their names. Throws `config.invalid` when the folder cannot be used. */
  async load(): Promise<Checkpoint[]> {
    try {
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
      const names = (await readdir(this.folder)).sort();
      for (const name of names) if (name.endsWith('.tmp')) await rm(join(this.folder, name), { force: true });
      const files = names.filter((name) => name.endsWith(SUFFIX));
      return await Promise.all(files.map((name) => this.read(name)));
    } catch (error) {
      if (error instanceof FairwayError) throw error;
      const { code } = error as NodeJS.ErrnoException;
      throw new FairwayError(
        'config.invalid',
        `TAIL_STATE_DIR cannot be used (${code ?? 'unknown error'}): name a folder that survives restarts and that this user may write.`,
      );
    }
  }

  async save(checkpoint: Checkpoint): Promise<void> {
    const path = join(this.folder, `${checkpoint.epoch}${SUFFIX}`);
    const file = await open(`${path}.tmp`, 'w', 0o600);
    try {
      await file.writeFile(JSON.stringify(checkpoint));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.tmp`, path);
  }

  async remove({ epoch }: Checkpoint): Promise<void> {
    await rm(join(this.folder, `${epoch}${SUFFIX}`), { force: true });
  }

  private async read(name: string): Promise<Checkpoint> {
    const text = await readFile(join(this.folder, name), 'utf8');
    try {
      const checkpoint = JSON.parse(text) as Checkpoint;
      if (checkpoint.v === 1) return checkpoint;
    } catch {
      // Said below: it was never written half.
    }
    throw new FairwayError(
      'config.invalid',
      `${name} in TAIL_STATE_DIR is no checkpoint of this version. Remove it to read its file from the beginning; what the recorder has stays stored once.`,
    );
  }
}
