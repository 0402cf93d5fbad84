import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { FairwayError } from '@fairway/core';
import { hiddenBy } from '@fairway/oci';
import { extract, type Header } from 'tar-stream';

/** Media types of layers that we unpack, and whether they are compressed. */
const GZIPPED: Readonly<Record<string, boolean>> = {
  'application/vnd.oci.image.layer.v1.tar': false,
  'application/vnd.oci.image.layer.v1.tar+gzip': true,
  'application/vnd.docker.image.rootfs.diff.tar.gzip': true,
};

/**
 * Unpacks one layer blob over `root` (OCI image spec, "layer": later layers win, whiteouts remove) and checks the blob's
 * sha256. Refuses names that leave `root`, links and special files: the tree is read by other programs of this machine.
 */
export async function unpackLayer(blob: string, digest: string, mediaType: string, root: string): Promise<void> {
  const gzipped = GZIPPED[mediaType];
  if (gzipped === undefined) throw unfit(`a layer has the media type ${mediaType}; tar and tar+gzip are understood`);
  const hash = createHash('sha256');
  const source = createReadStream(blob).on('data', (chunk) => hash.update(chunk));
  const archive = extract();
  const unpacking = (async () => {
    for await (const entry of archive) await unpackEntry(entry, root);
  })();
  await Promise.all([gzipped ? pipeline(source, createGunzip(), archive) : pipeline(source, archive), unpacking]);
  const found = `sha256:${hash.digest('hex')}`;
  if (found !== digest) throw unfit(`layer ${digest} holds other bytes (${found}): write the image again`);
}

/** An entry must be read to its end before the next one comes. */
type Entry = AsyncIterable<unknown> & { readonly header: Header; resume(): unknown };

async function unpackEntry(content: Entry, root: string): Promise<void> {
  const { header } = content;
  const name = header.name.replace(/^(\.?\/)+/, '').replace(/\/+$/, '');
  const parts = name.split('/');
  if (parts.includes('..') || name.includes('\0'))
    throw unfit(`a layer names ${JSON.stringify(header.name)}, which leaves the image`);
  const path = join(root, name);
  checkParents(root, parts);
  const hidden = hiddenBy(name);
  if (hidden !== undefined) {
    remove(join(root, hidden.path), hidden.kept);
    content.resume();
  } else if (header.type === 'directory' || name === '' || name === '.') {
    mkdirSync(path, { recursive: true });
    content.resume();
  } else if (header.type === 'file') {
    mkdirSync(dirname(path), { recursive: true });
    rmSync(path, { recursive: true, force: true });
    await pipeline(
      Readable.from(content),
      createWriteStream(path, { mode: (header.mode ?? 0) & 0o100 ? 0o755 : 0o644 }),
    );
  } else {
    throw unfit(
      `a layer holds ${JSON.stringify(header.name)}, which is a ${header.type}: only files and folders are unpacked`,
    );
  }
}

/** No part of the way may be anything but a folder: nothing is ever written through a link. */
function checkParents(root: string, parts: readonly string[]): void {
  for (let i = 1; i < parts.length; i++) {
    const parent = lstatSync(join(root, ...parts.slice(0, i)), { throwIfNoEntry: false });
    if (parent && !parent.isDirectory())
      throw unfit(`a layer puts ${JSON.stringify(parts.join('/'))} below something that is no folder`);
  }
}

/** What a whiteout hides; `kept`: only what is in the folder. */
function remove(path: string, kept: boolean): void {
  if (!kept) return rmSync(path, { recursive: true, force: true });
  if (!lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  for (const name of readdirSync(path)) rmSync(join(path, name), { recursive: true, force: true });
}

const unfit = (what: string) =>
  new FairwayError('image.failed', `The image cannot be unpacked: ${what}.`, { disposition: 'terminal' });
