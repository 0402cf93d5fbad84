import { formatPatch, OMIT_HEADERS, structuredPatch } from 'diff';
import type { RepositoryFile } from '../ports.ts';
import { either, most, type Section } from './body.ts';
import { count, counted, details, fenced, plain, table } from './markdown.ts';

/** How one file differs; `patch` is the unified diff without a header, empty where only lines were counted. */
export type FileChange = {
  readonly path: string;
  readonly kind: 'added' | 'removed' | 'changed';
  readonly added: number;
  readonly removed: number;
  readonly patch: string;
};

/** Beyond so many edited lines a file counts as rewritten: the work grows with the square of the edits. */
const MOST_EDITS = 1_000;
/** A longer diff is read on the forge's own page of the files. */
const MOST_CHARACTERS = 20_000;
const MOST_FILES = 40;

/** What differs between two states of a folder, sorted by path. Both are whole: a file that is only in one was added or removed. */
export function fileChanges(before: readonly RepositoryFile[], after: readonly RepositoryFile[]): FileChange[] {
  const old = new Map(before.map(({ path, text }) => [path, text]));
  const now = new Map(after.map(({ path, text }) => [path, text]));
  const paths = [...new Set([...old.keys(), ...now.keys()])].sort();
  return paths
    .filter((path) => old.get(path) !== now.get(path))
    .map((path) => fileChange(path, old.get(path), now.get(path)));
}

function fileChange(path: string, old: string | undefined, now: string | undefined): FileChange {
  const kind = old === undefined ? 'added' : now === undefined ? 'removed' : 'changed';
  const edits = structuredPatch('', '', old ?? '', now ?? '', undefined, undefined, {
    context: 3,
    maxEditLength: MOST_EDITS,
  });
  if (edits === undefined) return { path, kind, added: lines(now), removed: lines(old), patch: '' };
  const all = edits.hunks.flatMap((hunk) => hunk.lines);
  const starting = (sign: string) => all.filter((line) => line.startsWith(sign)).length;
  const patch = edits.hunks.length === 0 ? '' : formatPatch(edits, OMIT_HEADERS).trimEnd();
  return { path, kind, added: starting('+'), removed: starting('-'), patch };
}

const lines = (text = ''): number => text.split('\n').length - (text.endsWith('\n') || text === '' ? 1 : 0);

/** What merging changes, file by file. `folder` is left out of the names. */
export function filesSection(changes: readonly FileChange[], folder: string): Section {
  const total = (of: 'added' | 'removed') => count(changes.reduce((sum, change) => sum + change[of], 0));
  const summary = `## What merging changes\n\n${counted(changes.length, 'file')} below \`${folder}/\`, ${total('added')} lines added, ${total('removed')} removed, and nothing else.`;
  return either(
    'files',
    () => `${summary}\n\n${fileTable(changes, folder)}`,
    () => summary,
  );
}

function fileTable(changes: readonly FileChange[], folder: string): string {
  const rows = changes
    .slice(0, MOST_FILES)
    .map(({ path, kind, added, removed }) => [
      plain(path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path),
      kind,
      added === 0 ? '' : `+${count(added)}`,
      removed === 0 ? '' : `−${count(removed)}`,
    ]);
  const rest = changes.length - rows.length;
  return `${table(['file', '', 'added', 'removed'], rows)}${rest > 0 ? `\n\n${counted(rest, 'more file')} not shown.` : ''}`;
}

/** The unified diff of the manifests, to be opened; cut at whole lines with a sentence. Files that are no manifests are left out. */
export function diffSection(changes: readonly FileChange[], isManifest: (path: string) => boolean): Section {
  const all = changes
    .filter(({ path, patch }) => isManifest(path) && patch !== '')
    .flatMap(({ path, kind, patch }) => [
      `--- ${kind === 'added' ? '/dev/null' : path}`,
      `+++ ${kind === 'removed' ? '/dev/null' : path}`,
      ...patch.split('\n'),
    ]);
  const text = (shown: number): string => {
    if (shown === 0) return '';
    const cut = `The diff is cut after ${count(shown)} of ${count(all.length)} lines; the page of the files shows all of it.`;
    const block = fenced(all.slice(0, shown).join('\n'), 'diff');
    return details('The manifests, line by line', shown === all.length ? block : `${block}\n\n${cut}`);
  };
  return { name: 'diff', render: (room) => most(all.length, Math.min(room, MOST_CHARACTERS), text) };
}
