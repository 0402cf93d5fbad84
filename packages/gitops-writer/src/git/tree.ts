import type { ObjectFormat } from './objects.ts';

export type TreeEntry = {
  /** Octal, as git writes it: `40000` is a folder. */
  readonly mode: string;
  /** The bytes of the name as latin1, so that comparing code units compares bytes. */
  readonly name: string;
  readonly id: string;
  readonly start: number;
  readonly end: number;
};

/** A tree object, parsed once: a folder of 5,000 models is one of 175 KB. */
export type Tree = {
  readonly raw: Buffer;
  readonly entries: readonly TreeEntry[];
  find(name: string): TreeEntry | undefined;
};

export const FOLDER = '40000';
export const isFolder = ({ mode }: Pick<TreeEntry, 'mode'>): boolean => mode === FOLDER;

export const toName = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
export const fromName = (name: string): string => Buffer.from(name, 'latin1').toString('utf8');

export function parseTree(format: ObjectFormat, raw: Buffer): Tree {
  const idBytes = format === 'sha1' ? 20 : 32;
  const entries: TreeEntry[] = [];
  for (let start = 0; start < raw.length; ) {
    const space = raw.indexOf(0x20, start);
    const nul = raw.indexOf(0, space);
    const end = nul + 1 + idBytes;
    entries.push({
      mode: shared(raw.toString('latin1', start, space)),
      name: raw.toString('latin1', space + 1, nul),
      id: raw.toString('hex', nul + 1, end),
      start,
      end,
    });
    start = end;
  }
  return { raw, entries, find: finder(entries) };
}

/** A table of few names would be larger than the names: there are thousands of small folders, and few large ones. */
const FEW = 16;

function finder(entries: readonly TreeEntry[]): Tree['find'] {
  if (entries.length <= FEW) return (name) => entries.find((entry) => entry.name === name);
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  return (name) => byName.get(name);
}

/** The same five strings, not one for each of 5,000 entries. */
const MODES = new Map([FOLDER, '100644', '100755', '120000', '160000'].map((mode) => [mode, mode]));
const shared = (mode: string): string => MODES.get(mode) ?? mode;

/** One change of a tree: `entry` undefined takes the name away. */
export type EntryChange = { readonly name: string; readonly entry?: { readonly mode: string; readonly id: string } };

/** How a new tree is made of the old one: bytes that are copied, bytes that are new. */
export type TreeEdit = { readonly length: number; readonly pieces: readonly Piece[] };
export type Piece = { readonly from: number; readonly to: number } | { readonly bytes: Buffer };

/** Changes entries and keeps all others byte for byte. Names and kinds must fit: a file does not become a folder here. */
export function editTree(base: Tree | undefined, changes: readonly EntryChange[]): TreeEdit {
  const places = changes.map((change) => ({ ...change, ...placeOf(base, change) }));
  places.sort((a, b) => a.start - b.start || (a.key < b.key ? -1 : 1));
  const pieces: Piece[] = [];
  let at = 0;
  for (const { start, end, name, entry } of places) {
    if (start > at) pieces.push({ from: at, to: start });
    if (entry !== undefined) pieces.push({ bytes: entryBytes(name, entry) });
    at = end;
  }
  const oldLength = base?.raw.length ?? 0;
  if (oldLength > at) pieces.push({ from: at, to: oldLength });
  return { length: pieces.reduce((sum, piece) => sum + pieceLength(piece), 0), pieces };
}

const pieceLength = (piece: Piece): number => ('bytes' in piece ? piece.bytes.length : piece.to - piece.from);

/** The bytes of an edited tree, piece by piece: a tree of 175 KB is not copied 1,000 times. */
export const editedBytes = (base: Tree | undefined, { pieces }: TreeEdit): Buffer[] =>
  pieces.map((piece) => ('bytes' in piece ? piece.bytes : (base as Tree).raw.subarray(piece.from, piece.to)));

/** Git sorts folders as if their names ended in a slash. */
const sortKey = (name: string, mode: string): string => (mode === FOLDER ? `${name}/` : name);

function placeOf(base: Tree | undefined, { name, entry }: EntryChange): { start: number; end: number; key: string } {
  const existing = base?.find(name);
  const key = sortKey(name, entry?.mode ?? existing?.mode ?? '');
  if (existing !== undefined) return { start: existing.start, end: existing.end, key };
  const entries = base?.entries ?? [];
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const { name: other, mode } = entries[middle] as TreeEntry;
    if (sortKey(other, mode) < key) low = middle + 1;
    else high = middle;
  }
  const start = entries[low]?.start ?? base?.raw.length ?? 0;
  return { start, end: start, key };
}

const entryBytes = (name: string, { mode, id }: { readonly mode: string; readonly id: string }): Buffer =>
  Buffer.concat([Buffer.from(`${mode} ${name}\0`, 'latin1'), Buffer.from(id, 'hex')]);
