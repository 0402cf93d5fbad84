import { fromName, isFolder, type TreeEntry } from './tree.ts';
import type { Trees } from './trees.ts';

/** Files that differ between two trees, sorted as git lists them. Only folders that differ are read. */
export async function changedPaths(trees: Trees, from: string, to: string): Promise<string[]> {
  const paths: string[] = [];
  const walk = async (a: string | undefined, b: string | undefined, path: string): Promise<void> => {
    const [before, after] = [
      a === undefined ? undefined : await trees.load(a),
      b === undefined ? undefined : await trees.load(b),
    ];
    const names = new Set([...(before?.entries ?? []), ...(after?.entries ?? [])].map(({ name }) => name));
    for (const name of names) {
      const [one, two] = [before?.find(name), after?.find(name)];
      if (one?.id === two?.id && one?.mode === two?.mode) continue;
      const own = `${path}${fromName(name)}`;
      if ([one, two].some((entry) => entry !== undefined && !isFolder(entry))) paths.push(own);
      const [left, right] = [folderId(one), folderId(two)];
      if (left !== undefined || right !== undefined) await walk(left, right, `${own}/`);
    }
  };
  await walk(from, to, '');
  return paths.sort();
}

const folderId = (entry: TreeEntry | undefined): string | undefined =>
  entry !== undefined && isFolder(entry) ? entry.id : undefined;
