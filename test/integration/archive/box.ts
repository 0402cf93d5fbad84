import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type UnpackLimits, unpack, type Unpacked, unpackModel } from '@fairway/archive';
import { type FileTree, bytesOf } from '../../harness/archives.ts';

/** A folder of a test: one archive in it, a scratch folder, and nothing else whatever the archive tries. */
export type Box = {
  readonly dir: string;
  readonly scratch: string;
  put(bytes: Uint8Array, name?: string): string;
  /** The sentence with which the archive is refused; nothing may be left, nothing may be outside. */
  refused(bytes: Uint8Array, limits?: Partial<UnpackLimits>): Promise<string>;
  refusedModel(bytes: Uint8Array, limits?: Partial<UnpackLimits>): Promise<string>;
  close(): void;
};

export function openBox(): Box {
  const dir = mkdtempSync(join(tmpdir(), 'fairway-archive-'));
  const scratch = join(dir, 'a', 'scratch');
  mkdirSync(scratch, { recursive: true });
  const put = (bytes: Uint8Array, name = 'model.bin') => {
    writeFileSync(join(dir, name), bytes);
    return join(dir, name);
  };
  const refusal = async (unpacking: Promise<Unpacked>): Promise<string> => {
    const error = await unpacking.then(
      ({ folder }) => expect.fail(`unpacked ${readdirSync(folder).join(', ')}`),
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ name: 'FairwayError', code: 'model.invalid', disposition: 'terminal' });
    expect(new Set(readdirSync(dir, { recursive: true, encoding: 'utf8' }))).toEqual(
      new Set(['a', 'a/scratch', 'model.bin']),
    );
    const { message } = error as Error;
    expect(message).toMatch(/^(The entry ".*" of )?.+\.$/);
    return message;
  };
  return {
    dir,
    scratch,
    put,
    refused: (bytes, limits = {}) => refusal(unpack(put(bytes), scratch, { limits })),
    refusedModel: (bytes, limits = {}) => refusal(unpackModel(put(bytes), scratch, { limits })),
    close: () => rmSync(dir, { recursive: true }),
  };
}

/** Files by path, their bytes as Latin-1 (buffers are compared element by element, which takes seconds); empty folders end with `/`. */
export function treeIn(folder: string): Record<string, string> {
  const tree: Record<string, string> = {};
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const stat = lstatSync(join(folder, path));
    if (stat.isFile()) {
      expect(stat.mode & 0o7777).toBe(0o600);
      tree[path] = readFileSync(join(folder, path), 'latin1');
    } else {
      expect(stat.isDirectory()).toBe(true);
      expect(stat.mode & 0o7777).toBe(0o700);
      if (readdirSync(join(folder, path)).length === 0) tree[`${path}/`] = '';
    }
  }
  return tree;
}

/** The tree that must come out, as {@link treeIn} tells it. */
export const asTree = (tree: FileTree): Record<string, string> =>
  Object.fromEntries(
    Object.entries(tree)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, content]) => [path, bytesOf(content).toString('latin1')]),
  );
