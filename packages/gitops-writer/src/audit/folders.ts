import type { PathChange } from './history.ts';

/** A folder that only changes may write: of an environment or of a retraining. */
export type Governed = {
  readonly path: string;
  readonly model: string;
  readonly kind: 'environments' | 'retrain';
  readonly name: string;
};

export type Blob = { readonly mode: string; readonly blob: string };
/** Path → blob. */
export type Snapshot = ReadonlyMap<string, Blob>;

const GOVERNED = /^(models\/([^/]+)\/(environments|retrain)\/([^/]+))(?:\/|$)/;

/** The governed folder that a path lies in. */
export function governedBy(path: string): Governed | undefined {
  const [, folder, model, kind, name] = GOVERNED.exec(path) ?? [];
  if (folder === undefined || model === undefined || name === undefined) return undefined;
  return { path: folder, model, kind: kind as Governed['kind'], name };
}

/**
 * The governed folders and the files beside them as they are at each commit, kept up by the differences alone: no tree
 * is read. The model folder of five thousand models would be parsed for every single path otherwise.
 */
export type Folders = {
  apply(changes: readonly PathChange[], index: number): void;
  /** As it is now, or as it was after the commit of that index. */
  files(folder: string, index?: number): Snapshot;
  /** A single file such as `models/<model>/quarantine.yaml`. */
  file(path: string): string | undefined;
};

const EMPTY: Snapshot = new Map();
const BESIDE = /^models\/[^/]+\/(quarantine|model)\.yaml$/;

export function folders(): Folders {
  const past = new Map<string, Array<{ readonly index: number; readonly snapshot: Snapshot }>>();
  const beside = new Map<string, string | undefined>();
  const latest = (folder: string) => past.get(folder)?.at(-1)?.snapshot ?? EMPTY;
  return {
    apply: (changes, index) => {
      const touched = new Map<string, Map<string, Blob>>();
      for (const { path, mode, blob } of changes) {
        if (BESIDE.test(path)) beside.set(path, blob);
        const folder = governedBy(path)?.path;
        if (folder === undefined) continue;
        const files = touched.get(folder) ?? new Map(latest(folder));
        touched.set(folder, files);
        if (blob === undefined) files.delete(path);
        else files.set(path, { mode, blob });
      }
      for (const [folder, snapshot] of touched) {
        const states = past.get(folder) ?? [];
        past.set(folder, states);
        states.push({ index, snapshot });
      }
    },
    files: (folder, index = Number.POSITIVE_INFINITY) =>
      past.get(folder)?.findLast((state) => state.index <= index)?.snapshot ?? EMPTY,
    file: (path) => beside.get(path),
  };
}

export const sameFiles = (a: Snapshot, b: Snapshot): boolean =>
  a.size === b.size &&
  [...a].every(([path, { mode, blob }]) => b.get(path)?.blob === blob && b.get(path)?.mode === mode);
