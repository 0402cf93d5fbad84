import { FairwayError } from '@fairway/core';
import type { RepositoryFile } from '../ports.ts';
import { OBJECT_ID, formatOf } from './objects.ts';
import type { ObjectReader } from './reader.ts';
import { fromName, isFolder, parseTree, toName, type Tree, type TreeEntry } from './tree.ts';

/** Larger than any file that a person reads in a pull request. */
const MAX_BLOB = 16 * 1024 * 1024;
/** A folder of 100,000 names. */
const MAX_TREE = 8 * 1024 * 1024;
/** Parsed trees that are kept: they never change, and the same few are asked for again and again. */
const KEPT_BYTES = 6 * 1024 * 1024;
/** Texts of small files that are kept: each change asks for the same model.yaml and version.yaml five times, and a question of git wakes a process. */
const KEPT_TEXT = 1024 * 1024;
const SMALL_TEXT = 16 * 1024;
/** What a kept text costs beside itself. */
const TEXT_BYTES = 200;
/** What an entry costs beside its bytes. */
const ENTRY_BYTES = 200;
/** What a tree costs beside its entries: a look at all models reads thousands of small ones. */
const TREE_BYTES = 1_000;

/** Folders and files as they are in a commit. */
export type Trees = {
  /** The tree of a commit; undefined when the mirror does not have it. */
  rootOf(commit: string): Promise<string | undefined>;
  load(id: string): Promise<Tree>;
  /** What a tree holds under a name. */
  entry(tree: string, name: string): Promise<Pick<TreeEntry, 'mode' | 'id'> | undefined>;
  /** Mode and id of what is at a path; undefined when there is nothing. */
  at(commit: string, path: string): Promise<Pick<TreeEntry, 'mode' | 'id'> | undefined>;
  text(commit: string, path: string): Promise<{ readonly text: string; readonly blob: string } | undefined>;
  folders(commit: string, path: string): Promise<string[]>;
  files(commit: string, folder: string): Promise<RepositoryFile[]>;
};

const cost = ({ raw, entries }: Tree): number => TREE_BYTES + raw.length + entries.length * ENTRY_BYTES;

/** Those that were asked for last. */
function keptTexts() {
  const kept = new Map<string, string>();
  let bytes = 0;
  const forget = (id: string): void => {
    bytes -= TEXT_BYTES + (kept.get(id)?.length ?? -TEXT_BYTES);
    kept.delete(id);
  };
  const keep = (id: string, text: string): string => {
    if (text.length > SMALL_TEXT) return text;
    forget(id);
    kept.set(id, text);
    bytes += TEXT_BYTES + text.length;
    for (const oldest of kept.keys()) {
      if (bytes <= KEPT_TEXT) break;
      forget(oldest);
    }
    return text;
  };
  return {
    keep,
    get: (id: string): string | undefined => {
      const text = kept.get(id);
      return text === undefined ? undefined : keep(id, text);
    },
  };
}

export function gitTrees(reader: ObjectReader): Trees {
  const kept = new Map<string, Tree>();
  const roots = new Map<string, string>();
  let bytes = 0;
  const keep = (id: string, tree: Tree): Tree => {
    kept.set(id, tree);
    bytes += cost(tree);
    for (const [oldest, gone] of kept) {
      if (bytes <= KEPT_BYTES || oldest === id) break;
      kept.delete(oldest);
      bytes -= cost(gone);
    }
    return tree;
  };
  const load = async (id: string): Promise<Tree> => {
    const known = kept.get(id);
    if (known !== undefined) {
      // Map keeps the order of insertion: the one used last goes to the end.
      kept.delete(id);
      kept.set(id, known);
      return known;
    }
    const found = await reader.contents(id, MAX_TREE);
    if (found?.type !== 'tree') throw new FairwayError('git.unavailable', `Tree ${id} is missing in the Git mirror.`);
    const again = kept.get(id);
    return again ?? keep(id, parseTree(formatOf(id), found.bytes));
  };
  const rootOf = async (commit: string) => {
    if (!OBJECT_ID.test(commit)) return undefined;
    const known = roots.get(commit);
    if (known !== undefined) return known;
    const found = await reader.info(`${commit}^{tree}`);
    if (found === undefined) return undefined;
    roots.set(commit, found.id);
    if (roots.size > 1_000) roots.delete(roots.keys().next().value ?? '');
    return found.id;
  };
  const at: Trees['at'] = async (commit, path) => {
    let id = await rootOf(commit);
    let entry: Pick<TreeEntry, 'mode' | 'id'> | undefined;
    for (const part of path.split('/')) {
      if (id === undefined) return undefined;
      entry = (await load(id)).find(toName(part));
      id = entry !== undefined && isFolder(entry) ? entry.id : undefined;
    }
    return entry;
  };
  const texts = keptTexts();
  const blob = async (id: string, path: string) => {
    const known = texts.get(id);
    if (known !== undefined) return known;
    const found = await reader.contents(id, MAX_BLOB, path);
    if (found === undefined) throw new FairwayError('git.unavailable', `${path} is missing in the Git mirror.`);
    return texts.keep(id, found.bytes.toString('utf8'));
  };
  const walk = async (id: string, path: string): Promise<RepositoryFile[]> => {
    const { entries } = await load(id);
    const below = await Promise.all(
      entries.map(async (entry): Promise<RepositoryFile[]> => {
        const own = `${path}/${fromName(entry.name)}`;
        if (isFolder(entry)) return walk(entry.id, own);
        // A submodule has no text here; it is listed, so that nobody hides one in a folder of ours.
        return [
          { path: own, text: entry.mode === '160000' ? `Subproject commit ${entry.id}\n` : await blob(entry.id, own) },
        ];
      }),
    );
    return below.flat();
  };
  return {
    rootOf,
    load,
    entry: async (tree, name) => (await load(tree)).find(toName(name)),
    at,
    text: async (commit, path) => {
      const entry = await at(commit, path);
      if (entry === undefined || !entry.mode.startsWith('1') || entry.mode === '160000') return undefined;
      return { text: await blob(entry.id, path), blob: entry.id };
    },
    folders: async (commit, path) => {
      const entry = await at(commit, path);
      if (entry === undefined || !isFolder(entry)) return [];
      return (await load(entry.id)).entries.filter(isFolder).map(({ name }) => fromName(name));
    },
    files: async (commit, folder) => {
      const entry = await at(commit, folder);
      if (entry === undefined || !isFolder(entry)) return [];
      const found = await walk(entry.id, folder);
      return found.sort((a, b) => (a.path < b.path ? -1 : 1));
    },
  };
}
