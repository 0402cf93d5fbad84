import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layoutStore, type Platform } from '@fairway/oci';
import type { Made } from '../../../tools/images/build.ts';
import type { Source } from '../../../tools/images/source.ts';
import { putBase } from '../../harness/registry/images.ts';
import { eventually } from '../agent/agent.ts';

export const SOURCE: Source = {
  revision: '0123456789abcdef0123456789abcdef01234567',
  dirty: false,
  created: '2026-01-02T03:04:05Z',
  url: 'https://git.example.com/fairway',
};

/** A folder that every user may enter. */
export function openFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'fairway images '));
  chmodSync(folder, 0o755);
  return folder;
}

/** A layout as skopeo leaves it: a small base with `files` in its layers under the bare name `20`. Answers its digest. */
export async function writeBase(
  folder: string,
  platforms: readonly Platform[],
  files: readonly (readonly string[])[] = [['usr/local/bin/node', 'usr/bin/git']],
): Promise<string> {
  const ref = '20';
  const store = layoutStore(folder);
  const { digest } = await putBase(store, 'base', { platforms, files, attested: platforms.length > 1 });
  const manifest = await store.manifest('base', digest);
  if (manifest === undefined) throw new Error('the base was not written');
  await store.putManifest('base', manifest, ref);
  // Names of layouts that others write have no image name in them.
  const index = join(folder, 'index.json');
  const { status } = spawnSync('sed', ['-i', `s/"base:${ref}"/"${ref}"/`, index]);
  if (status !== 0) throw new Error('the base could not be named');
  return digest;
}

/** OpenShift runs a container as a uid of the namespace's range and group 0; who is not root stays who they are. */
export const RANDOM_UID = process.getuid?.() === 0 ? { uid: 1_000_650_000, gid: 0 } : {};

/** Unpacks the layer of ours below `folder`, where nobody may write. */
export function unpack(layout: string, { layer }: Made, folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const blob = join(layout, 'blobs', 'sha256', layer.digest.slice('sha256:'.length));
  const { status, stderr } = spawnSync('tar', ['-xpf', blob, '-C', folder, '--no-same-owner'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  spawnSync('chmod', ['-R', 'a-w', folder]);
}

/** A folder that the program may write to. */
export function writable(folder: string): string {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o777);
  return folder;
}

export function remove(folder: string): void {
  spawnSync('chmod', ['-R', 'u+w', folder]);
  rmSync(folder, { recursive: true, force: true });
}

export type Program = {
  readonly child: ChildProcess;
  output(): string;
  ready(port: number): Promise<void>;
  /** Sends the signal, or waits only, and resolves with the exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
};

/** The entry point of an image as a process, in the unpacked layer: no HOME, a random uid, nothing in its environment but `env`. */
export function startProgram(
  root: string,
  [node = '', ...rest]: readonly string[],
  env: Readonly<Record<string, string>>,
): Program {
  if (node !== 'node') throw new Error(`the entry point starts ${node}`);
  const argv = rest.map((word) => (word.startsWith('/') ? join(root, word) : word));
  const child = spawn(process.execPath, argv, {
    env: { PATH: process.env['PATH'], ...env },
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
    ...RANDOM_UID,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const closed = once(child, 'close');
  return {
    child,
    output: () => said,
    ready: (port) =>
      eventually(async () => {
        if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${said}`);
        return (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 200;
      }, 60_000),
    end: async (signal) => {
      if (signal !== undefined) child.kill(signal);
      await closed;
      return child.exitCode;
    },
  };
}
