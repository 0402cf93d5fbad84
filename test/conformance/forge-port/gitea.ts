import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FORGES } from '../../../packages/gitops-writer/src/forges.ts';
import type { GitClient } from '../forge/git-client.ts';
import { call, newRepository, startForgeOn } from '../forge/target.ts';
import type { PortServer, PortTarget } from './target.ts';

/** The embedded forge in a process of its own. */
export async function startGitea(): Promise<PortServer> {
  const dir = mkdtempSync(join(tmpdir(), 'fairway port '));
  const server = await startForgeOn(dir);
  const { owner, second } = server;

  const newTarget = async (git: GitClient): Promise<PortTarget> => {
    const { full, api, name, cloneUrl } = await newRepository(server);
    const folder = await git.clone(cloneUrl, name);
    const credentials = Buffer.from(`${owner.name}:${owner.token}`).toString('base64');
    await git.ok(folder, ['config', `http.${server.url}/.extraHeader`, `Authorization: Basic ${credentials}`]);
    const ask = async (method: string, path: string, body?: object) => {
      const answer = await call(server, method, `${api}${path}`, { token: owner.token, body });
      if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
      return answer.body;
    };
    const forge = FORGES.gitea.open({
      url: server.url,
      repository: full,
      credentials: () => Promise.resolve({ user: second.name, token: second.token }),
      base: 'main',
      clock: { now: () => Date.now() },
    });
    return {
      forge,
      limits: FORGES.gitea.limits,
      bot: second.name,
      person: owner.name,
      folder,
      close: async (number) => void (await ask('PATCH', `/pulls/${number}`, { state: 'closed' })),
      merge: async (number) => void (await ask('POST', `/pulls/${number}/merge`, { Do: 'merge' })),
      say: async (number, body) => void (await ask('POST', `/issues/${number}/comments`, { body })),
      block: async (number) => {
        const { title } = (await ask('GET', `/pulls/${number}`)) as unknown as { title: string };
        await ask('PATCH', `/pulls/${number}`, { title: `WIP: ${title}` });
      },
      shown: async (number) => {
        const pull = await ask('GET', `/pulls/${number}`);
        const comments = (await ask('GET', `/issues/${number}/comments`)) as unknown as readonly GiteaComment[];
        return {
          labels: pull.labels.map((label) => label.name),
          reviewers: pull.requested_reviewers.map((user) => user.login),
          comments: comments.map(({ user, body }) => ({ author: user.login, text: body })),
        };
      },
      statuses: async (commit) => {
        const { statuses } = (await ask('GET', `/commits/${commit}/status`)) as unknown as GiteaCombined;
        return statuses.map(({ status: state, target_url: url, context, description }) => ({
          context,
          description,
          state,
          url,
        }));
      },
    };
  };
  const stop = async () => {
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  };
  return { newTarget, stop };
}

type GiteaComment = { readonly body: string; readonly user: { readonly login: string } };
type GiteaCombined = {
  readonly statuses: ReadonlyArray<{
    readonly context: string;
    readonly status: 'pending' | 'success' | 'failure';
    readonly description: string;
    readonly target_url: string;
  }>;
};
