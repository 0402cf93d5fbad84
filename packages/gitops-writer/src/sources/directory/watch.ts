import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';

/** Events come in swarms: a version is many files. */
const QUIET_MS = 200;
/** A folder that was made anew is another one, and what watched the old one hears nothing; so this often it is looked for. */
const LOOK_MS = 2_000;
/** With thousands of models a look takes a while: it may have a fiftieth of the process, not more. */
const REST_PER_LOOK = 50;

type Watched = { readonly identity: string; readonly watcher: FSWatcher };

/**
 * Tells of models whose folder has changed: a new version, another champion. A hint only; where the system cannot watch (too many
 * folders, a network file system), nothing is told and the poll finds it. The registry folder may come later, go, and come again.
 */
export function watchFolder(directory: string, changed: (model: string) => void): { stop(): void } {
  const watched = new Map<string, Watched>();
  const due = new Map<string, NodeJS.Timeout>();
  const tell = (model: string) => {
    clearTimeout(due.get(model));
    const timer = setTimeout(() => {
      due.delete(model);
      changed(model);
    }, QUIET_MS).unref();
    due.set(model, timer);
  };
  const keep = (path: string, heard: () => void): boolean => {
    const identity = identityOf(path);
    const known = watched.get(path);
    if (known?.identity === identity) return false;
    known?.watcher.close();
    watched.delete(path);
    const watcher = identity === undefined ? undefined : watching(path, heard);
    if (identity !== undefined && watcher !== undefined) watched.set(path, { identity, watcher });
    return watcher !== undefined;
  };
  const look = (first = false) => {
    keep(directory, () => soon(QUIET_MS));
    const paths = new Map(foldersIn(directory).map((model) => [join(directory, model), model]));
    // What appears later may have come with its champion already.
    for (const [path, model] of paths) if (keep(path, () => tell(model)) && !first) tell(model);
    for (const [path, { watcher }] of watched) {
      if (path === directory || paths.has(path)) continue;
      watcher.close();
      watched.delete(path);
    }
  };
  let next: NodeJS.Timeout | undefined;
  let at = Number.POSITIVE_INFINITY;
  /** A look within `ms`, unless one comes sooner. */
  const soon = (ms: number) => {
    if (performance.now() + ms >= at) return;
    clearTimeout(next);
    at = performance.now() + ms;
    next = setTimeout(again, ms).unref();
  };
  const again = (first = false) => {
    const began = performance.now();
    look(first);
    at = Number.POSITIVE_INFINITY;
    soon(Math.max(LOOK_MS, REST_PER_LOOK * (performance.now() - began)));
  };
  again(true);
  return {
    stop: () => {
      clearTimeout(next);
      at = Number.NEGATIVE_INFINITY;
      for (const waiting of due.values()) clearTimeout(waiting);
      for (const { watcher } of watched.values()) watcher.close();
      watched.clear();
    },
  };
}

function watching(path: string, heard: () => void): FSWatcher | undefined {
  try {
    return watch(path, { persistent: false }, heard).on('error', () => {});
  } catch {
    return undefined;
  }
}

/** An inode alone is given to the next folder as soon as it is free. */
function identityOf(path: string): string | undefined {
  try {
    const { ino, birthtimeNs } = statSync(path, { bigint: true });
    return `${ino} ${birthtimeNs}`;
  } catch {
    return undefined;
  }
}

function foldersIn(directory: string): string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name);
  } catch {
    return [];
  }
}
