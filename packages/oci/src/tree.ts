import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { type TreeHash, treeHash } from '@fairway/savedmodel';
import { extract, type Header } from 'tar-stream';
import { imageError } from './errors.ts';
import { OCI_LAYER, OCI_LAYER_GZIP } from './media.ts';

export type Tree = { readonly digest: string; readonly files: number; readonly bytes: number };

/**
 * The fingerprint of the SavedModel in a layer, from the tar as it streams by: nothing is unpacked. The layer must hold that
 * model below `prefix` and nothing else, its files in the order of their paths, each once. `what` begins the sentences.
 */
export async function treeOf(
  layer: AsyncIterable<Buffer>,
  mediaType: string,
  prefix: string,
  what: string,
): Promise<Tree> {
  if (mediaType !== OCI_LAYER && mediaType !== OCI_LAYER_GZIP) throw strange(what, `its last layer is ${mediaType}`);
  const archive = extract();
  const hashing = hashed(archive, prefix, what);
  // Whichever fails first is the reason; the other only follows.
  const moving = mediaType === OCI_LAYER ? pipeline(layer, archive) : pipeline(layer, createGunzip(), archive);
  const [moved, tree] = await Promise.allSettled([moving, hashing]);
  if (tree.status === 'rejected' && isOurs(tree.reason)) throw tree.reason;
  if (moved.status === 'rejected') throw moved.reason;
  if (tree.status === 'rejected') throw tree.reason;
  return tree.value;
}

const isOurs = (error: unknown): boolean => (error as Error).name === 'FairwayError';

type Entry = AsyncIterable<unknown> & { readonly header: Header; resume(): unknown };

async function hashed(archive: AsyncIterable<Entry>, prefix: string, what: string): Promise<Tree> {
  const tree = treeHash();
  let last = '';
  let files = 0;
  let bytes = 0;
  for await (const entry of archive) {
    const { name, type, size } = entry.header;
    if (type === 'directory') {
      if (!isAround(name, prefix)) throw strange(what, `its last layer has a folder ${JSON.stringify(name)}`);
      entry.resume();
      continue;
    }
    if (type !== 'file') throw strange(what, `its last layer has ${JSON.stringify(name)}, a ${type}`);
    if (!name.startsWith(`${prefix}/`))
      throw strange(what, `its last layer has ${JSON.stringify(name)}, outside ${prefix}`);
    const path = name.slice(prefix.length + 1);
    if (path <= last) throw strange(what, `${JSON.stringify(path)} is not where the order of paths has it`);
    await taken(tree, path, size, entry);
    last = path;
    files += 1;
    bytes += size;
  }
  return { digest: tree.digest(), files, bytes };
}

async function taken(tree: TreeHash, path: string, size: number, content: AsyncIterable<unknown>): Promise<void> {
  tree.member(path, size);
  for await (const chunk of content) tree.update(chunk as Uint8Array);
}

/** The folders above and below `prefix`. */
const isAround = (name: string, prefix: string): boolean =>
  name.endsWith('/') && (`${prefix}/`.startsWith(name) || name.startsWith(`${prefix}/`));

const strange = (what: string, why: string) => imageError(`${what} is not as Fairway builds images: ${why}.`);
