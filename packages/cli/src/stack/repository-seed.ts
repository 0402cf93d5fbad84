import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FairwayError, redact } from '@fairway/core';
import { callJson, expectJson } from './http.ts';

export type ForgeAccess = { readonly url: string; readonly user: string; readonly token: string };

const authorization = (token: string) => ({ authorization: `token ${token}` });

/** Creates `<user>/gitops` with the files that people own, unless it is there; answers the clone URL. */
export async function seedRepository(
  forge: ForgeAccess,
  files: Readonly<Record<string, string>>,
  scratchDir: string,
): Promise<{ repository: string; cloneUrl: string }> {
  const repository = `${forge.user}/gitops`;
  const cloneUrl = `${forge.url}/${repository}.git`;
  const { status } = await callJson('The forge', `${forge.url}/api/v1/repos/${repository}`, {
    headers: authorization(forge.token),
  });
  if (status === 200) return { repository, cloneUrl };
  await expectJson('The forge', `${forge.url}/api/v1/user/repos`, {
    headers: authorization(forge.token),
    body: {
      name: 'gitops',
      description: 'What serves: the desired state of every model',
      default_branch: 'main',
      private: false,
    },
  });
  rmSync(scratchDir, { recursive: true, force: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(scratchDir, path)), { recursive: true });
    writeFileSync(join(scratchDir, path), text);
  }
  const git = gitAs(forge, scratchDir);
  git('init', '--quiet', '--initial-branch=main');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'Describe the home-equity model');
  git('push', '--quiet', cloneUrl, 'HEAD:refs/heads/main');
  rmSync(scratchDir, { recursive: true, force: true });
  return { repository, cloneUrl };
}

/** Registers a webhook for pushes and pull requests; hooks of an earlier start (other ports) are removed first. */
export async function seedWebhooks(
  forge: ForgeAccess,
  repository: string,
  hooks: readonly { url: string; secret: string }[],
): Promise<void> {
  const base = `${forge.url}/api/v1/repos/${repository}/hooks`;
  const headers = authorization(forge.token);
  for (const { id } of await expectJson<{ id: number }[]>('The forge', base, { headers })) {
    await expectJson('The forge', `${base}/${id}`, { method: 'DELETE', headers });
  }
  for (const { url, secret } of hooks) {
    const config = { url, content_type: 'json', secret };
    await expectJson('The forge', base, {
      headers,
      body: { type: 'gitea', active: true, events: ['push', 'pull_request'], config },
    });
  }
}

/** Git in a folder as the person who owns the repository; the token travels in the environment only. */
function gitAs({ user, token, url }: ForgeAccess, cwd: string): (...args: string[]) => void {
  const header = `Authorization: Basic ${Buffer.from(`${user}:${token}`).toString('base64')}`;
  const env = {
    PATH: process.env.PATH,
    HOME: cwd,
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: user,
    GIT_AUTHOR_EMAIL: `${user}@example.com`,
    GIT_COMMITTER_NAME: user,
    GIT_COMMITTER_EMAIL: `${user}@example.com`,
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `http.${url}/.extraHeader`,
    GIT_CONFIG_VALUE_0: header,
  };
  return (...args) => {
    const { status, stderr, error } = spawnSync('git', args, { cwd, env, encoding: 'utf8' });
    if (status === 0) return;
    throw new FairwayError(
      'stack.failed',
      `git ${args[0]} failed while the repository was set up: ${redact(stderr || String(error), [token])}`,
    );
  };
}
