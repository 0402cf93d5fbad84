import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@fairway/core';
import { unpackLayer } from './layers.ts';
import { type Attempt, problem } from './problem.ts';

/** An image that is ready to run: its unpacked tree and what its configuration says. */
export type Image = {
  readonly id: string;
  readonly root: string;
  readonly env: readonly string[];
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly workingDir: string;
};

/** Pulls `name@sha256:…` from the OCI layout; each image is unpacked once, whoever asks first. */
export type ImageStore = { pull(reference: string): Promise<Attempt<Image>> };

type Manifest = {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string; readonly mediaType: string }[];
};
type ImageConfig = {
  readonly config?: {
    readonly Env?: string[];
    readonly Entrypoint?: string[];
    readonly Cmd?: string[];
    readonly WorkingDir?: string;
  };
};

export function imageStore(layoutDir: string, imagesDir: string): ImageStore {
  const pulls = new Map<string, Promise<Image>>();
  const pullOnce = (digest: string): Promise<Image> => {
    const known = pulls.get(digest);
    if (known) return known;
    const pull = unpackImage(layoutDir, imagesDir, digest);
    pulls.set(digest, pull);
    // A failed pull is tried anew: the image may have been written meanwhile.
    pull.catch(() => pulls.delete(digest));
    return pull;
  };
  return {
    async pull(reference) {
      const digest = /@(sha256:[0-9a-f]{64})$/.exec(reference)?.[1];
      if (digest === undefined) {
        return problem(
          'InvalidImageName',
          `Failed to apply default image tag "${reference}": the embedded cluster pulls by digest only: name@sha256:<64 hex digits>`,
        );
      }
      try {
        return { ok: { ...(await pullOnce(digest)), id: reference } };
      } catch (error) {
        return problem('ErrImagePull', `Failed to pull image "${reference}": ${(error as Error).message}`);
      }
    },
  };
}

async function unpackImage(layoutDir: string, imagesDir: string, digest: string): Promise<Image> {
  const manifest = readBlob(layoutDir, digest) as Manifest;
  const { config = {} } = readBlob(layoutDir, manifest.config.digest) as ImageConfig;
  const root = join(imagesDir, digest.slice('sha256:'.length));
  if (!existsSync(root)) {
    const work = `${root}.new`;
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work, { recursive: true });
    for (const layer of manifest.layers)
      await unpackLayer(blobFile(layoutDir, layer.digest), layer.digest, layer.mediaType, work);
    renameSync(work, root);
  }
  return {
    id: digest,
    root,
    env: config.Env ?? [],
    entrypoint: config.Entrypoint ?? [],
    cmd: config.Cmd ?? [],
    workingDir: config.WorkingDir ?? '',
  };
}

const blobFile = (layoutDir: string, digest: string): string => join(layoutDir, 'blobs', ...digest.split(':'));

/** A JSON blob whose bytes are what its digest says. */
function readBlob(layoutDir: string, digest: string): unknown {
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) throw new Error(`${digest} is not a sha256 digest`);
  const file = blobFile(layoutDir, digest);
  if (!existsSync(file)) throw new Error(`${digest}: not found in the image layout`);
  const bytes = readFileSync(file);
  if (`sha256:${sha256(bytes)}` !== digest)
    throw new Error(`${digest}: the blob holds other bytes, write the image again`);
  return JSON.parse(bytes.toString('utf8'));
}
