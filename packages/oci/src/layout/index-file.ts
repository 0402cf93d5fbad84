import { mkdir, open, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { batched } from '@fairway/core';
import { imageError } from '../errors.ts';
import { OCI_INDEX, REF_NAME } from '../media.ts';
import type { Descriptor } from '../store.ts';

/** `index.json` of a layout: what the folder offers, by name. */
export type IndexFile = {
  /** Lists manifests, each once and all at the same time; a name points to the newest manifest that was listed under it. */
  list(descriptors: readonly Descriptor[]): Promise<void>;
  find(name: string): Promise<Descriptor | undefined>;
  all(): Promise<Descriptor[]>;
};

/** With thousands of images it is a megabyte that is written and synced: in a burst a few of them a second are enough. */
const LINGER_MS = 50;

export function indexFile(folder: string): IndexFile {
  const kept = keptIndex(join(folder, 'index.json'));
  // It is read, changed and replaced: those who wait meanwhile go into the next one together.
  const list = batched<readonly Descriptor[], undefined>({ max: 1_000, lingerMs: LINGER_MS }, async (lists) => {
    await addTo(folder, kept, lists.flat());
    return lists.map(() => ({ value: undefined }));
  });
  const all = async () => [...(await kept.read()).manifests];
  return {
    list: async (descriptors) => (descriptors.length === 0 ? undefined : list(descriptors)),
    all,
    find: async (name) => (await all()).find((descriptor) => nameOf(descriptor) === name),
  };
}

type Index = { readonly manifests: readonly Descriptor[] };
type KeptIndex = { read(): Promise<Index>; write(index: Index): Promise<void> };

/** Thousands of entries are read and written for each batch: what is unchanged is neither parsed nor turned into text again. */
function keptIndex(path: string): KeptIndex {
  const texts = new WeakMap<Descriptor, string>();
  let kept: { readonly as: string; readonly index: Index } | undefined;
  const textOf = (descriptor: Descriptor): string => {
    const text = texts.get(descriptor) ?? JSON.stringify(descriptor);
    texts.set(descriptor, text);
    return text;
  };
  return {
    read: async () => {
      const as = await identity(path);
      if (as !== undefined && kept?.as === as) return kept.index;
      const index = as === undefined ? EMPTY : parsedIndex(await readFile(path, 'utf8'));
      kept = as === undefined ? undefined : { as, index };
      return index;
    },
    write: async ({ manifests, ...head }) => {
      const half = `${path}.${process.pid}.half`;
      const text = `${JSON.stringify(head).slice(0, -1)},"manifests":[${manifests.map(textOf).join()}]}`;
      await writeDurably(half, text);
      await rename(half, path);
      const as = await identity(path);
      kept = as === undefined ? undefined : { as, index: { ...head, manifests } };
    },
  };
}

const EMPTY = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] };

/** It is always replaced by rename: another file is another inode. */
async function identity(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return found && `${found.ino}:${found.mtimeNs}:${found.size}`;
}

function parsedIndex(text: string): Index {
  try {
    const index = JSON.parse(text) as Partial<Index>;
    if (Array.isArray(index.manifests)) return index as Index;
  } catch {
    // The sentence below says it.
  }
  throw imageError('index.json of the image layout lists no manifests; put back the one that was written last.');
}

async function addTo(folder: string, kept: KeptIndex, descriptors: readonly Descriptor[]): Promise<void> {
  const index = await kept.read();
  // A name points to one manifest: the newest.
  const newest = new Map(descriptors.map((descriptor) => [idOf(descriptor), descriptor]));
  const others = index.manifests.filter((other) => {
    const mine = newest.get(idOf(other));
    return mine === undefined || (mine.digest === other.digest && newest.delete(idOf(other)));
  });
  if (newest.size === 0) return;
  await mkdir(folder, { recursive: true });
  // `wx`: the marker of the format is written once and never touched again.
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}', { flag: 'wx' }).catch(isThereAlready);
  await kept.write({ ...index, manifests: [...others, ...newest.values()] });
}

function isThereAlready(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

const idOf = (descriptor: Descriptor): string => nameOf(descriptor) ?? descriptor.digest;
const nameOf = ({ annotations }: Descriptor): string | undefined => annotations?.[REF_NAME];

async function writeDurably(file: string, text: string): Promise<void> {
  const handle = await open(file, 'w');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
