import { imageError } from './errors.ts';

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

/** What an entry of a layer takes away from the layers below it: a path with all that lies below it, or only the latter. */
export type Hidden = { readonly path: string; readonly kept: boolean };

/**
 * What an entry hides; undefined when it is no whiteout (OCI image specification, layer.md: `.wh.NAME` hides NAME beside it,
 * `.wh..wh..opq` all that is in its folder). `path` has no leading `/`. Throws `image.failed` when it hides no name.
 */
export function hiddenBy(path: string): Hidden | undefined {
  const at = path.lastIndexOf('/') + 1;
  const [folder, name] = [path.slice(0, at), path.slice(at)];
  if (!name.startsWith(WHITEOUT)) return undefined;
  if (name === OPAQUE) return { path: folder.slice(0, -1), kept: true };
  const hidden = name.slice(WHITEOUT.length);
  if (!['', '.', '..'].includes(hidden)) return { path: `${folder}${hidden}`, kept: false };
  throw imageError(`A layer holds ${JSON.stringify(path)}, which hides nothing that has a name.`, 'terminal');
}

/**
 * The paths that an image holds, from those of its layers, the lowest first: a later layer adds its own and takes away what its
 * whiteouts hide, wherever they stand in it. Throws as {@link hiddenBy}.
 */
export function pathsHeld(layers: readonly (readonly string[])[]): ReadonlySet<string> {
  let held: ReadonlySet<string> = new Set<string>();
  for (const layer of layers) {
    const whiteouts = layer.map(hiddenBy).filter((one) => one !== undefined);
    const gone = new Set(whiteouts.filter(({ kept }) => !kept).map(({ path }) => path));
    const emptied = new Set(whiteouts.filter(({ kept }) => kept).map(({ path }) => path));
    const isLeft = (path: string): boolean =>
      !gone.has(path.replace(/\/$/, '')) &&
      foldersOf(path).every((folder) => !gone.has(folder) && !emptied.has(folder));
    const left = whiteouts.length === 0 ? held : [...held].filter(isLeft);
    held = new Set([...left, ...layer.filter((path) => hiddenBy(path) === undefined)]);
  }
  return held;
}

/** `a/b/c` → the root, `a` and `a/b`. */
function foldersOf(path: string): string[] {
  const parts = path.replace(/\/$/, '').split('/');
  return parts.map((_, index) => parts.slice(0, index).join('/'));
}
