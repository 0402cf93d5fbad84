import { lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, join, posix } from 'node:path';
import type { Budget } from './budget.ts';
import { refusal, shown } from './refusal.ts';
import { extractArchive, kindOf, type UnpackOptions, type Unpacked, unpacking } from './unpack.ts';

/** What a registry keeps beside a SavedModel, as the directory registry has it (docs/contracts.md). */
export const REGISTRATION_FILES: readonly string[] = [
  'ModelProperties.json',
  'inputVar.json',
  'outputVar.json',
  'baseline.json',
  'golden.jsonl',
];

const MODEL = 'saved_model.pb';

/**
 * Unpacks the archive of a model, however its registry packed it: the SavedModel at the top, in a folder, or in an archive inside
 * (SAS Model Manager's export). The folder has the SavedModel at its top and beside it the registration files that lay anywhere
 * on the way to it. Exactly one SavedModel, and each registration file at most once: more are refused, never chosen from.
 */
export const unpackModel = (file: string, scratch: string, options: UnpackOptions = {}): Promise<Unpacked> =>
  unpacking(file, scratch, options, async (root, budget) => {
    const search: Search = { root, budget, signal: options.signal, skipped: [], outside: 0 };
    const found = await findIn(search, { file, name: basename(file), around: [], depth: budget.limits.depth });
    if (found === undefined) throw refusal(basename(file), NONE);
    const folder = await sideBySide(root, basename(file), found);
    return { folder, skipped: search.skipped };
  });

const NONE = `holds no ${MODEL}, nor does an archive inside it; export the model as a TensorFlow SavedModel and pack its folder`;

type Search = {
  readonly root: string;
  readonly budget: Budget;
  readonly signal: AbortSignal | undefined;
  readonly skipped: string[];
  /** How many archives were unpacked; names their folders. */
  outside: number;
};

/** An archive to look into, and the folders around it where registration files may lie, nearest first. */
type Nested = {
  readonly file: string;
  readonly name: string;
  readonly around: readonly string[];
  readonly depth: number;
};

/** The folder that holds saved_model.pb, what sentences call it, and where else to look for registration files. */
type Found = { readonly folder: string; readonly called: string; readonly around: readonly string[] };

async function findIn(search: Search, { file, name, around, depth }: Nested): Promise<Found | undefined> {
  const folder = join(search.root, `archive-${search.outside++}`);
  await mkdir(folder, { mode: 0o700 });
  const { files, skipped } = await extractArchive(file, name, folder, search);
  search.skipped.push(...skipped);
  const ways = (path: string) => [...ancestors(path).map((parent) => join(folder, parent)), ...around];
  const models = files.filter((path) => posix.basename(path) === MODEL);
  if (models.length > 1) throw several(name, models.map(shown));
  if (models[0] !== undefined) {
    return {
      folder: join(folder, posix.dirname(models[0])),
      called: `${shown(models[0])} of ${name}`,
      around: ways(models[0]),
    };
  }
  const found: Found[] = [];
  if (depth > 0) {
    for (const path of files) {
      const inner = join(folder, path);
      if ((await kindOf(inner, path)) === undefined) continue;
      const called = `${shown(path)} in ${name}`;
      const one = await findIn(search, { file: inner, name: called, around: ways(path), depth: depth - 1 });
      if (one !== undefined) found.push(one);
    }
  }
  if (found.length > 1)
    throw several(
      name,
      found.map(({ called }) => called),
    );
  return found[0];
}

const several = (name: string, which: readonly string[]) =>
  refusal(
    name,
    `holds ${which.length} SavedModels (${which.slice(0, 5).join(', ')}); pack exactly one, so that nobody has to guess`,
  );

/** The folder of a path and those around it, nearest first; '.' is the outermost. */
function ancestors(path: string): string[] {
  const parents = [posix.dirname(path)];
  for (let parent = parents[0] ?? '.'; parent !== '.'; parents.push(parent)) parent = posix.dirname(parent);
  return parents;
}

/** Moves the registration files beside the SavedModel, the whole to `<root>/model`, and removes the rest. */
async function sideBySide(root: string, archive: string, { folder, around }: Found): Promise<string> {
  for (const name of REGISTRATION_FILES) {
    const present = await Promise.all(around.map((at) => exists(join(at, name))));
    const places = around.filter((_, index) => present[index]);
    if (places.length > 1)
      throw refusal(archive, `holds ${name} ${places.length} times; keep the one that belongs to the model`);
    const [place] = places;
    if (place !== undefined && place !== folder) await rename(join(place, name), join(folder, name));
  }
  const model = join(root, 'model');
  await rename(folder, model);
  const rest = (await readdir(root)).filter((name) => name !== 'model');
  await Promise.all(rest.map((name) => rm(join(root, name), { recursive: true, force: true })));
  return model;
}

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
