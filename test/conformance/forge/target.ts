import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStackProcess } from '../../harness/stack-process.ts';

export type Account = { readonly name: string; readonly token: string };

/** The forge under test: the embedded one, or a real Gitea named by `GITEA_URL`, `GITEA_TOKEN` and `GITEA_SECOND_TOKEN`. */
export type Target = {
  readonly url: string;
  /** Owns the repositories. */
  readonly owner: Account;
  /** Another account that may write to them (on a real Gitea: a site administrator). */
  readonly second: Account;
  stop(): Promise<void>;
};

export async function startTarget(): Promise<Target> {
  const { GITEA_URL, GITEA_TOKEN, GITEA_SECOND_TOKEN } = process.env;
  if (GITEA_URL === undefined) return startEmbedded();
  const url = GITEA_URL.replace(/\/$/, '');
  const account = async (token = '') => {
    const answer = await fetch(`${url}/api/v1/user`, { headers: { authorization: `token ${token}` } });
    const { login } = (await answer.json()) as { login: string };
    return { name: login, token };
  };
  const [owner, second] = [await account(GITEA_TOKEN), await account(GITEA_SECOND_TOKEN)];
  return { url, owner, second, stop: () => Promise.resolve() };
}

export const OWNER: Account = { name: 'alice', token: 'alice-token-of-the-tests' };
export const SECOND: Account = { name: 'fairway-bot', token: 'bot-token-of-the-tests' };

export type EmbeddedForge = Target & { readonly port: number; kill(): Promise<void> };

/** The embedded forge over `dataDir`; `port` 0 takes any. `stop` leaves the folder to whoever made it. */
export async function startForgeOn(dataDir: string, port = 0): Promise<EmbeddedForge> {
  const users = join(dataDir, 'users.json');
  writeFileSync(users, JSON.stringify([{ ...OWNER, admin: true, person: true }, SECOND]));
  const forge = await startStackProcess('forge', {
    PORT: String(port),
    DATA_DIR: join(dataDir, 'data'),
    FORGE_USERS_FILE: users,
  });
  const url = `http://127.0.0.1:${forge.port}`;
  return { url, port: forge.port, owner: OWNER, second: SECOND, stop: forge.stop, kill: forge.kill };
}

async function startEmbedded(): Promise<Target> {
  const dir = mkdtempSync(join(tmpdir(), 'fairway forge '));
  const forge = await startForgeOn(dir);
  const stop = async () => {
    await forge.stop();
    rmSync(dir, { recursive: true, force: true });
  };
  return { ...forge, stop };
}

export type Answer = { readonly status: number; readonly headers: Headers; readonly text: string; readonly body: Json };
/** The fields that the tests read one by one; whether they are there is what the tests prove. */
export type Json = Fields & readonly Fields[];
type Fields = {
  readonly id: number;
  readonly number: number;
  readonly name: string;
  readonly login: string;
  readonly message: string;
  readonly version: string;
  readonly content: string;
  readonly sha: string;
  readonly status: string;
  readonly context: string;
  readonly filename: string;
  readonly mergeable: boolean;
  readonly state: string;
  readonly merge_base: string;
  readonly merge_commit_sha: string;
  readonly comments: number;
  readonly action?: string;
  readonly type: string;
  readonly user: Fields;
  readonly ref: string;
  readonly labels: readonly Fields[];
  readonly requested_reviewers: readonly Fields[];
  readonly commit: Fields;
  readonly head: Fields;
  readonly base: Fields;
  readonly pull_request: Fields;
};

/** One API call; without `token` as nobody. */
export async function call(
  { url }: Target,
  method: string,
  path: string,
  options: { token?: string | undefined; body?: unknown; authorization?: string } = {},
): Promise<Answer> {
  const authorization = options.authorization ?? (options.token === undefined ? undefined : `token ${options.token}`);
  const answer = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: {
      ...(authorization ? { authorization } : {}),
      ...(options.body ? { 'content-type': 'application/json' } : {}),
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
  const text = await answer.text();
  const json = answer.headers.get('content-type')?.includes('json') === true && text !== '';
  return { status: answer.status, headers: answer.headers, text, body: (json ? JSON.parse(text) : {}) as Json };
}

/** Creates a repository of its own for a test: `owner/name`, path for the API and clone URL. */
export async function newRepository(target: Target, autoInit = true) {
  const name = `r${randomBytes(6).toString('hex')}`;
  const body = { name, auto_init: autoInit, default_branch: 'main', private: false };
  const created = await call(target, 'POST', '/user/repos', { token: target.owner.token, body });
  if (created.status !== 201) throw new Error(`no repository: ${created.status} ${created.text}`);
  const full = `${target.owner.name}/${name}`;
  return { name, full, api: `/repos/${full}`, cloneUrl: `${target.url}/${full}.git` };
}
