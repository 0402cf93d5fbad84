import type { Wrong } from './path.ts';
import { shown } from './refusal.ts';

/** Folders that are new with this entry, outermost first; the entry itself is among them when it is a folder. */
export type Placed = { readonly folders: readonly string[] };

/** The paths of one archive: each once, and none that another file system would take for another one. */
export type Tree = {
  add(path: string, folder: boolean): Placed | Wrong;
  /** Files and folders, those that are only implied by a path too. */
  size(): number;
};

type Node = { readonly path: string; readonly folder: boolean };

export function pathTree(): Tree {
  const known = new Map<string, Node>();

  const place = (path: string, key: string, folder: boolean): boolean | Wrong => {
    const there = known.get(key);
    if (there === undefined) {
      known.set(key, { path, folder });
      return true;
    }
    if (there.path !== path) return { wrong: clash(there.path) };
    if (there.folder !== folder) return { wrong: 'is both a file and a folder; pack the files again' };
    return folder ? false : { wrong: 'is there twice; pack the files again, each once' };
  };

  return {
    size: () => known.size,
    add(path, folder) {
      if (path === '') return { folders: [] };
      const names = path.split('/');
      const keys = folded(path).split('/');
      const folders: string[] = [];
      for (let depth = knownDepth(known, names, keys) + 1; depth <= names.length; depth++) {
        const at = names.slice(0, depth).join('/');
        const inner = depth < names.length || folder;
        const fresh = place(at, keys.slice(0, depth).join('/'), inner);
        if (typeof fresh === 'object') return fresh;
        if (fresh && inner) folders.push(at);
      }
      return { folders };
    },
  };
}

/** How many leading folders of the path are known as they are written here; mostly all, so look from the deepest up. */
function knownDepth(known: ReadonlyMap<string, Node>, names: readonly string[], keys: readonly string[]): number {
  for (let depth = names.length - 1; depth > 0; depth--) {
    const there = known.get(keys.slice(0, depth).join('/'));
    if (there?.folder === true && there.path === names.slice(0, depth).join('/')) return depth;
  }
  return 0;
}

const clash = (other: string) =>
  `differs from ${shown(other)} only by case or by how its characters are composed, so some machines would mix them up; rename one`;

/** The same for names that macOS or Windows take for one: composed, and folded both ways (ſ and s, K and k, ς and σ). */
const folded = (path: string): string => path.normalize('NFC').toLowerCase().toUpperCase().normalize('NFC');
