import { dirname } from 'node:path';
import { type Credentials, type CredentialSource, type GitResult, httpEnvironment } from './environment.ts';
import { expectOk, isUnauthorised } from './failure.ts';
import type { RunProgram } from './process.ts';
import type { SshAccess } from './ssh.ts';
import { sshEnvironment } from './ssh.ts';

export type GitAccess = {
  readonly url: string;
  readonly credentials: CredentialSource;
  /** Told of a token that is no longer taken, where there can be another: then it is tried once more. */
  readonly refused?: ((token: string) => void) | undefined;
  /** PEM file with the certificate authorities to trust instead of the system's. */
  readonly caFile?: string | undefined;
  readonly ssh?: SshAccess | undefined;
};

/** Branch → commit, and what HEAD points to. */
export type Heads = { readonly branches: ReadonlyMap<string, string>; readonly head?: string };

/** What the remote is asked; only these commands get the token. All run in `folder`, which need not be a repository for `heads`. */
export type Remote = {
  readonly url: string;
  /** The branches of the remote, or only the named ones. */
  heads(folder: string, only?: readonly string[]): Promise<Heads>;
  /** Gets the objects of these branches; `keep` is also written as a local ref, for the next fetch to start from. */
  fetch(folder: string, branches: readonly string[], keep: string): Promise<void>;
  /** Gets a commit by its id, whether a branch leads to it or not; a non-zero exit is an answer. `how`: with another git, or elsewhere. */
  fetchCommit(folder: string, commit: string, how?: FetchHow): Promise<GitResult>;
  /** Each argument a refspec or an option; a non-zero exit is an answer. */
  push(folder: string, args: readonly string[]): Promise<GitResult>;
};

type FetchHow = { readonly run?: RunProgram; readonly env?: Readonly<Record<string, string>> };

/** A silent git is killed: a remote that hangs must not hold a turn for ever. */
const SILENCE_MS = 60_000;
/** Hooks of a forge may think for a while, and a push prints nothing meanwhile. */
const PUSH_FACTOR = 2;
/** Progress is what tells a slow fetch from a dead one. */
const FETCH = ['fetch', '--progress', '--no-tags', '--no-write-fetch-head', '--no-auto-maintenance'];

export function gitRemote(run: RunProgram, access: GitAccess, silenceMs = SILENCE_MS): Remote {
  const { url } = access;
  const call = caller(run, access);
  return {
    url,
    heads: async (folder, only) => {
      const patterns = only === undefined ? ['HEAD', 'refs/heads/*'] : only.map((branch) => `refs/heads/${branch}`);
      const args = ['ls-remote', '--symref', url, ...patterns];
      return parseHeads(expectOk(url, args, await call(folder, args, silenceMs)));
    },
    fetch: async (folder, branches, keep) => {
      const specs = branches.map((name) =>
        name === keep ? `+refs/heads/${name}:refs/heads/${name}` : `refs/heads/${name}`,
      );
      const args = [...FETCH, '--update-shallow', '--stdin', url];
      expectOk(url, args, await call(folder, args, silenceMs, `${specs.join('\n')}\n`));
    },
    fetchCommit: (folder, commit, how) => call(folder, [...FETCH, url, commit], silenceMs, undefined, how),
    push: (folder, args) => call(folder, ['push', '--porcelain', '--no-verify', ...args], silenceMs * PUSH_FACTOR),
  };
}

type Call = (folder: string, args: readonly string[], ms: number, input?: string, how?: FetchHow) => Promise<GitResult>;

/** Git with what the remote wants to know, once more with a new token when the one that was kept is not taken. */
function caller(run: RunProgram, access: GitAccess): Call {
  const { url, caFile, ssh, refused } = access;
  return async (folder, args, silenceMs, input, how = {}) => {
    const callAs = (credentials: Credentials | undefined): Promise<GitResult> => {
      const env = {
        ...how.env,
        ...httpEnvironment(url, credentials, caFile),
        ...sshEnvironment(url, ssh),
        // The folder is the repository or none at all, never one further up.
        GIT_CEILING_DIRECTORIES: dirname(folder),
      };
      return (how.run ?? run)(folder, args, { env, silenceMs, ...(input === undefined ? {} : { input }) });
    };
    const credentials = await access.credentials();
    const result = await callAs(credentials);
    if (refused === undefined || credentials === undefined || !isUnauthorised(result)) return result;
    refused(credentials.token);
    return callAs(await access.credentials());
  };
}

/** `<id>\t<ref>` lines, and `ref: <ref>\tHEAD` where HEAD points somewhere. */
export function parseHeads(listing: string): Heads {
  const branches = new Map<string, string>();
  let head: string | undefined;
  for (const line of listing.split('\n')) {
    const [value = '', name = ''] = line.split('\t');
    if (name === 'HEAD' && value.startsWith('ref: refs/heads/')) head = value.slice('ref: refs/heads/'.length);
    else if (name.startsWith('refs/heads/')) branches.set(name.slice('refs/heads/'.length), value);
  }
  return { branches, ...(head === undefined ? {} : { head }) };
}
