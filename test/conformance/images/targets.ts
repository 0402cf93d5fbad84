import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Credentials, type ImageStore, layoutStore, registryStore } from '@fairway/oci';
import { program, startRealRegistry } from '../../harness/registry/real.ts';
import { type RegistryOptions, startRegistry } from '../../harness/registry/registry.ts';

export type Target = {
  readonly store: ImageStore;
  /** First part of every image name there. */
  readonly host: string;
  /** Whether blobs can change hands between names without their bytes. */
  readonly mounts: boolean;
  stop(): Promise<void>;
};
export type TargetKind = { readonly name: string; readonly missing?: string; start(): Promise<Target> };

const USER = { user: 'writer', password: 'password of the tests' };
const asUser: Credentials = () => Promise.resolve({ kind: 'basic', ...USER });

/** Everything that keeps images for us, under the same suite. */
export const TARGETS: readonly TargetKind[] = [
  { name: 'a layout folder', start: startLayout },
  { name: 'a registry of 1.1', start: () => startOwn({}) },
  { name: 'a registry of 1.0 that mounts nothing', start: () => startOwn({ referrers: false, mounts: false }) },
  {
    name: 'a registry with tokens and whole addresses',
    start: () => startOwn({ auth: { kind: 'token', ...USER }, absoluteLocations: true, minChunk: 70_000 }),
  },
  { name: 'a registry with passwords', start: () => startOwn({ auth: { kind: 'basic', ...USER } }) },
  realRegistry(),
];

async function startLayout(): Promise<Target> {
  const folder = mkdtempSync(join(tmpdir(), 'fairway layout '));
  const stop = () => Promise.resolve(rmSync(folder, { recursive: true, force: true }));
  return { store: layoutStore(join(folder, 'images')), host: 'registry.example.com', mounts: true, stop };
}

/** Pieces are small, so that a few hundred kilobytes make many. */
const QUICK = { plainHttp: true, chunkBytes: 64 * 1024, pauseMs: 1 };

async function startOwn(options: RegistryOptions): Promise<Target> {
  const registry = await startRegistry(options);
  const store = registryStore({ ...QUICK, ...(options.auth === undefined ? {} : { credentials: asUser }) });
  const stop = async () => {
    store.close();
    await registry.stop();
  };
  return { store, host: registry.host, mounts: options.mounts !== false, stop };
}

function realRegistry(): TargetKind {
  const binary = program('docker-registry');
  return {
    name: 'docker-registry',
    ...(binary === undefined
      ? { missing: 'docker-registry is not installed (Debian: apt-get install docker-registry)' }
      : {}),
    start: async () => {
      const registry = await startRealRegistry(binary ?? '');
      const store = registryStore(QUICK);
      const stop = async () => {
        store.close();
        await registry.stop();
      };
      return { store, host: registry.host, mounts: true, stop };
    },
  };
}
