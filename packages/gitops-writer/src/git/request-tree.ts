import { FairwayError } from '@fairway/core';
import type { CommitRequest } from '../ports.ts';
import { type ObjectFormat, objectId } from './objects.ts';
import { deltaOf, type PackObject } from './pack.ts';
import {
  editedBytes,
  editTree,
  type EntryChange,
  FOLDER,
  fromName,
  isFolder,
  toName,
  type Tree,
  type TreeEntry,
} from './tree.ts';

/** New objects by id; a batch of commits shares one, so that what they have in common is written once. */
export type NewObjects = Map<string, PackObject>;
export type LoadTree = (id: string) => Promise<Tree>;

/** A folder as the request wants it: everything below replaced, or only what is named. */
type Wanted = { replaced: boolean; readonly files: Map<string, Buffer>; readonly folders: Map<string, Wanted> };

/** Smaller trees are written whole: a difference would save nothing. */
const MIN_DELTA = 1_024;
const FILE = '100644';
const EXECUTABLE = '100755';

/**
 * The tree that a request makes of its parent's tree. Only the trees on the way to a changed file are read, and a large
 * one is written as the few bytes that differ: deflating 175 KB for each of 1,000 commits would cost 5 s.
 */
export async function requestTree(
  format: ObjectFormat,
  load: LoadTree,
  root: string,
  request: Pick<CommitRequest, 'folders' | 'files'>,
  objects: NewObjects,
): Promise<string> {
  const edit = async (id: string | undefined, wanted: Wanted, path: string): Promise<string | undefined> => {
    const base = id === undefined || wanted.replaced ? undefined : await load(id);
    const changes: EntryChange[] = [];
    for (const [name, bytes] of wanted.files) {
      const existing = base?.find(name);
      if (existing !== undefined && !existing.mode.startsWith('100')) throw notAFile(`${path}${fromName(name)}`);
      const blob = objectId(format, 'blob', bytes);
      objects.set(blob, { type: 'blob', bytes });
      changes.push({ name, entry: { mode: existing?.mode === EXECUTABLE ? EXECUTABLE : FILE, id: blob } });
    }
    for (const [name, below] of wanted.folders) {
      const existing = base?.find(name);
      const folder = `${path}${fromName(name)}`;
      if (existing !== undefined && !isFolder(existing) && holdsFiles(below)) throw notAFolder(folder, existing);
      const under = existing !== undefined && isFolder(existing) ? existing.id : undefined;
      const made = await edit(under, below, `${folder}/`);
      if (made !== undefined) changes.push({ name, entry: { mode: FOLDER, id: made } });
      else if (under !== undefined) changes.push({ name });
    }
    return writeTree(format, id, base, changes, objects);
  };
  const made = await edit(root, wantedOf(request), '');
  return made ?? writeEmpty(format, objects);
}

function writeTree(
  format: ObjectFormat,
  id: string | undefined,
  base: Tree | undefined,
  changes: readonly EntryChange[],
  objects: NewObjects,
): string | undefined {
  const edited = editTree(base, changes);
  if (edited.length === 0) return undefined;
  const parts = editedBytes(base, edited);
  const made = objectId(format, 'tree', ...parts);
  if (made === id || objects.has(made)) return made;
  const isDelta = id !== undefined && base !== undefined && edited.length >= MIN_DELTA;
  objects.set(
    made,
    isDelta ? { base: id, delta: deltaOf(base.raw.length, edited) } : { type: 'tree', bytes: Buffer.concat(parts) },
  );
  return made;
}

function writeEmpty(format: ObjectFormat, objects: NewObjects): string {
  const bytes = Buffer.alloc(0);
  const id = objectId(format, 'tree', bytes);
  objects.set(id, { type: 'tree', bytes });
  return id;
}

function wantedOf({ folders, files }: Pick<CommitRequest, 'folders' | 'files'>): Wanted {
  const root = empty();
  for (const path of folders) folderAt(root, partsOf(path)).replaced = true;
  for (const { path, text } of files) {
    const parts = partsOf(path);
    const name = parts.at(-1) ?? '';
    const folder = folderAt(root, parts.slice(0, -1));
    const below = folder.folders.get(name);
    if (folder.files.has(name) || (below !== undefined && holdsFiles(below))) throw twice(path);
    folder.files.set(name, Buffer.from(text, 'utf8'));
  }
  return root;
}

const empty = (): Wanted => ({ replaced: false, files: new Map(), folders: new Map() });

const holdsFiles = ({ files, folders }: Wanted): boolean => files.size > 0 || [...folders.values()].some(holdsFiles);

function folderAt(root: Wanted, parts: readonly string[]): Wanted {
  let at = root;
  for (const part of parts) {
    if (at.files.has(part)) throw twice(fromName(part));
    const next = at.folders.get(part) ?? empty();
    at.folders.set(part, next);
    at = next;
  }
  return at;
}

/** The parts of a path, as tree names. Names that would leave the repository or confuse a checkout are refused. */
function partsOf(path: string): string[] {
  const parts = path.split('/');
  const isBad = (part: string) =>
    part === '' || part === '.' || part === '..' || /^\.git$/i.test(part) || /[\p{Cc}\\]/u.test(part);
  if (parts.some(isBad)) {
    throw new FairwayError(
      'input.invalid',
      `${JSON.stringify(path)} is no path that Fairway writes into a repository.`,
    );
  }
  return parts.map(toName);
}

const twice = (path: string) =>
  new FairwayError('input.invalid', `${path} is wanted twice in one commit, or as a file and as a folder.`);

const notAFile = (path: string) =>
  new FairwayError('input.invalid', `${path} is no plain file in the GitOps repository; take it away there first.`);

function notAFolder(path: string, { mode }: TreeEntry): FairwayError {
  const what = mode === '120000' ? 'a symbolic link' : mode === '160000' ? 'a submodule' : 'a file';
  return new FairwayError(
    'input.invalid',
    `${path} is ${what} in the GitOps repository, but Fairway keeps a folder there; take it away first.`,
  );
}
