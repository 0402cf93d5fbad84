import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FairwayError, type Logger, sha256 } from '@fairway/core';
import { SECRET } from '../kinds.ts';
import type { Registry } from '../store/registry.ts';
import { type Credentials, type Git, gitFor } from './git.ts';

/** Warm bare mirrors of the repositories that Applications and ApplicationSets name. */
export type Repositories = {
  /** Asks the remote where its refs are and fetches what is new. Calls that come during one share the next. */
  refresh(url: string): Promise<void>;
  /** Commit that `revision` (branch, tag, full ref, HEAD or commit id) means since the last refresh. */
  resolve(url: string, revision: string): Promise<string>;
  /** Every directory of a commit. */
  directories(url: string, commit: string): Promise<string[]>;
  /** Git id of the tree at `path`; undefined when there is none. The same tree renders to the same manifests. */
  treeOf(url: string, commit: string, path: string): Promise<string | undefined>;
  /** Writes `path` of a commit into a new folder and answers that folder; the caller removes it. */
  checkOut(url: string, commit: string, path: string): Promise<string>;
  /** Called when the refs of a repository have moved. */
  onMove(listener: (url: string) => void): () => void;
};

type Mirror = {
  readonly url: string;
  readonly dir: string;
  refs: ReadonlyMap<string, string> | undefined;
  running: Promise<void> | undefined;
  queued: Promise<void> | undefined;
};

/** Two spellings of one repository (case of the host, `.git`, trailing slash), as Argo CD compares them. */
export function sameRepository(a: string, b: string): boolean {
  return normalUrl(a) === normalUrl(b);
}

function normalUrl(url: string): string {
  const plain = url
    .trim()
    .replace(/\/+$/, '')
    .replace(/\.git$/, '');
  return URL.canParse(plain)
    ? plain.replace(/^([a-z+]+:\/\/)([^@/]*@)?([^/]*)/i, (_, scheme: string, __, host: string) =>
        (scheme + host).toLowerCase(),
      )
    : plain;
}

export function openRepositories(registry: Registry, dataDir: string, path: string, log: Logger): Repositories {
  const mirrors = new Map<string, Mirror>();
  const listeners = new Set<(url: string) => void>();
  mkdirSync(join(dataDir, 'work'), { recursive: true, mode: 0o700 });

  const mirrorOf = (url: string): Mirror => {
    const key = normalUrl(url);
    const mirror = mirrors.get(key) ?? {
      url,
      dir: join(dataDir, 'repos', sha256(key).slice(0, 16)),
      refs: undefined,
      running: undefined,
      queued: undefined,
    };
    mirrors.set(key, mirror);
    return mirror;
  };
  const git = (mirror: Mirror): Git => gitFor(mirror.url, credentialsOf(registry, mirror.url), dataDir, path);
  const local = (mirror: Mirror, args: string[], env?: Record<string, string>) =>
    git(mirror)(['--git-dir', mirror.dir, ...args], env);

  const update = async (mirror: Mirror): Promise<void> => {
    const listed = parseRefs(await git(mirror)(['ls-remote', mirror.url]));
    if (mirror.refs && sameRefs(mirror.refs, listed)) return;
    if (!existsSync(join(mirror.dir, 'HEAD'))) await git(mirror)(['init', '--quiet', '--bare', mirror.dir]);
    if (listed.size > 0)
      await local(mirror, [
        'fetch',
        '--quiet',
        '--force',
        '--prune',
        '--no-tags',
        mirror.url,
        '+refs/heads/*:refs/heads/*',
        '+refs/tags/*:refs/tags/*',
      ]);
    mirror.refs = listed;
    log.debug({ refs: listed.size }, 'repository moved');
    for (const listener of listeners) listener(mirror.url);
  };
  const refresh = (url: string): Promise<void> => {
    const mirror = mirrorOf(url);
    const start = () => (mirror.running = update(mirror).finally(() => (mirror.running = undefined)));
    if (!mirror.running) return start();
    // Whoever asks during a refresh may know of a push that it has missed.
    mirror.queued ??= mirror.running
      .catch(() => {})
      .then(() => {
        mirror.queued = undefined;
        return start();
      });
    return mirror.queued;
  };
  return {
    refresh,
    async resolve(url, revision) {
      const mirror = mirrorOf(url);
      if (!mirror.refs) await refresh(url);
      const found = findRef(mirror.refs ?? new Map(), revision);
      if (found !== undefined) return found;
      throw new FairwayError(
        'git.unavailable',
        `Unable to resolve '${revision}' to a commit SHA in ${normalUrl(url)}: it has no such branch or tag.`,
      );
    },
    async directories(url, commit) {
      const out = await local(mirrorOf(url), ['ls-tree', '-r', '-d', '-z', '--name-only', '--full-tree', commit]);
      return out.split('\0').filter((path) => path !== '');
    },
    async treeOf(url, commit, path) {
      const out = await local(mirrorOf(url), ['ls-tree', '-d', '-z', '--full-tree', commit, '--', path]);
      return path === '.' || path === '' ? commit : /^\d+ tree ([0-9a-f]+)\t/.exec(out)?.[1];
    },
    async checkOut(url, commit, path) {
      const folder = mkdtempSync(join(dataDir, 'work', 'tree-'));
      const args = ['--work-tree', folder, 'checkout', '--quiet', '--force', commit, '--', path === '' ? '.' : path];
      await local(mirrorOf(url), args, { GIT_INDEX_FILE: `${folder}.index` }).finally(() =>
        rmSync(`${folder}.index`, { force: true }),
      );
      return folder;
    },
    onMove(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** The Secret of type `repository` whose URL is this one, in any namespace that holds such Secrets. */
function credentialsOf(registry: Registry, url: string): Credentials | undefined {
  for (const secret of registry.list(SECRET)) {
    if (secret.metadata.labels?.['argocd.argoproj.io/secret-type'] !== 'repository') continue;
    const data = (secret['data'] ?? {}) as Readonly<Record<string, string>>;
    const read = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString('utf8');
    if (sameRepository(read('url'), url) && data['password'])
      return { username: read('username'), password: read('password') };
  }
  return undefined;
}

function parseRefs(listed: string): Map<string, string> {
  const lines = listed.split('\n').filter((line) => line !== '');
  // `<tag>^{}` is the commit behind an annotated tag; it comes after the tag and takes its place.
  return new Map(lines.map((line) => [line.slice(41).replace(/\^\{\}$/, ''), line.slice(0, 40)]));
}

function sameRefs(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([name, id]) => b.get(name) === id);
}

function findRef(refs: ReadonlyMap<string, string>, revision: string): string | undefined {
  if (/^[0-9a-f]{40}$/.test(revision)) return revision;
  return (
    refs.get(revision === '' ? 'HEAD' : revision) ??
    refs.get(`refs/heads/${revision}`) ??
    refs.get(`refs/tags/${revision}`)
  );
}
