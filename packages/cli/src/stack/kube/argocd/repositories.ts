import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FairwayError, type Logger, sha256 } from '@fairway/core';
import { SECRET } from '../kinds.ts';
import type { Registry } from '../store/registry.ts';
import { type Credentials, gitFor } from './git.ts';
import { findRef, type Mirror, openMirror } from './mirror.ts';

/** The repositories that Applications and ApplicationSets name, as warm bare mirrors. */
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

/** Two spellings of one repository (case of the host, `.git`, trailing slash), as Argo CD compares them. */
export function sameRepository(a: string, b: string): boolean {
  return normalUrl(a) === normalUrl(b);
}

function normalUrl(url: string): string {
  const plain = url
    .trim()
    .replace(/\/+$/, '')
    .replace(/\.git$/, '');
  const lowered = (_: string, scheme: string, __: string, host: string) => (scheme + host).toLowerCase();
  return URL.canParse(plain) ? plain.replace(/^([a-z+]+:\/\/)([^@/]*@)?([^/]*)/i, lowered) : plain;
}

type Open = { readonly mirror: Mirror; running: Promise<void> | undefined; queued: Promise<void> | undefined };

/** `namespace` holds the credentials; `path` is the PATH that git is found on. */
export function openRepositories(
  registry: Registry,
  { dataDir, namespace, path }: { readonly dataDir: string; readonly namespace: string; readonly path: string },
  log: Logger,
): Repositories {
  const [repos, work] = [emptied(join(dataDir, 'repos')), emptied(join(dataDir, 'work'))];
  const opened = new Map<string, Open>();
  const listeners = new Set<(url: string) => void>();
  const open = (url: string): Open => {
    const key = normalUrl(url);
    const git = () => gitFor(url, credentialsOf(registry, namespace, url), dataDir, path);
    const found = opened.get(key) ?? {
      mirror: openMirror(url, join(repos, sha256(key).slice(0, 16)), work, git),
      running: undefined,
      queued: undefined,
    };
    opened.set(key, found);
    return found;
  };
  const update = async (url: string, { mirror }: Open): Promise<void> => {
    if (!(await mirror.refresh())) return;
    log.debug({ refs: mirror.refs()?.size }, 'repository moved');
    for (const listener of listeners) listener(url);
  };
  const refresh = (url: string) => refreshOnce(open(url), (repository) => update(url, repository));
  return {
    refresh,
    async resolve(url, revision) {
      if (!open(url).mirror.refs()) await refresh(url);
      return findRef(open(url).mirror.refs() ?? new Map(), revision) ?? unresolved(url, revision);
    },
    directories: (url, commit) => open(url).mirror.directories(commit),
    treeOf: (url, commit, at) => open(url).mirror.treeOf(commit, at),
    checkOut: (url, commit, at) => open(url).mirror.checkOut(commit, at),
    onMove(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** A mirror is a cache, and one that was killed during a fetch may hold stale locks: begin anew. */
function emptied(dir: string): string {
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return dir;
}

/** One refresh at a time; whoever asks during one may know of a push that it has missed, and gets the next. */
function refreshOnce(repository: Open, update: (repository: Open) => Promise<void>): Promise<void> {
  const start = () => {
    repository.queued = undefined;
    repository.running = update(repository).finally(() => (repository.running = undefined));
    return repository.running;
  };
  if (!repository.running) return start();
  repository.queued ??= repository.running.catch(() => {}).then(start);
  return repository.queued;
}

function unresolved(url: string, revision: string): never {
  const message = `Unable to resolve '${revision}' to a commit SHA in ${normalUrl(url)}: it has no such branch or tag.`;
  throw new FairwayError('git.unavailable', message);
}

/** The Secret of type `repository` in Argo CD's namespace whose URL is this one. */
function credentialsOf(registry: Registry, namespace: string, url: string): Credentials | undefined {
  for (const secret of registry.list(SECRET, namespace)) {
    if (secret.metadata.labels?.['argocd.argoproj.io/secret-type'] !== 'repository') continue;
    const data = (secret['data'] ?? {}) as Readonly<Record<string, string>>;
    const read = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString('utf8');
    if (sameRepository(read('url'), url) && data['password'])
      return { username: read('username'), password: read('password') };
  }
  return undefined;
}
