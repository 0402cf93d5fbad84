import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Account } from './target.ts';

export type GitAnswer = { readonly code: number; readonly out: string; readonly err: string };

/** A real Git client with a work folder; `as` sends credentials as a URL with user and token would. */
export function gitClient() {
  const dir = mkdtempSync(join(tmpdir(), 'fairway-git-'));
  const run = (cwd: string, args: readonly string[], as?: Account): Promise<GitAnswer> =>
    new Promise((resolve, reject) => {
      const env = {
        PATH: process.env['PATH'] ?? '',
        HOME: dir,
        LC_ALL: 'C',
        GIT_TERMINAL_PROMPT: '0',
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_AUTHOR_NAME: 'Test',
        GIT_AUTHOR_EMAIL: 'test@example.com',
        GIT_COMMITTER_NAME: 'Test',
        GIT_COMMITTER_EMAIL: 'test@example.com',
        ...(as ? helper(as) : {}),
      };
      const child = spawn('git', args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
      let [out, err] = ['', ''];
      child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
      child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString('utf8')));
      child.once('error', reject);
      child.once('close', (code) => resolve({ code: code ?? 128, out: out.trim(), err }));
    });
  const ok = async (cwd: string, args: readonly string[], as?: Account) => {
    const answer = await run(cwd, args, as);
    if (answer.code !== 0) throw new Error(`git ${args.join(' ')}: ${answer.err}`);
    return answer.out;
  };
  return {
    dir,
    run,
    ok,
    /** Clones into a folder and answers it. */
    clone: async (url: string, name: string, as?: Account) => {
      await ok(dir, ['clone', '--quiet', url, name], as);
      return join(dir, name);
    },
    /** Writes a file, commits it and answers the commit. */
    commit: async (cwd: string, path: string, text: string, message = `Write ${path}`) => {
      await mkdir(dirname(join(cwd, path)), { recursive: true });
      writeFileSync(join(cwd, path), text);
      await ok(cwd, ['add', '--all']);
      await ok(cwd, ['commit', '--quiet', '--message', message]);
      return ok(cwd, ['rev-parse', 'HEAD']);
    },
    /** Branches of a remote. */
    branches: async (url: string, as?: Account) =>
      (await ok(dir, ['ls-remote', '--heads', url], as))
        .split('\n')
        .map((line) => line.replace(/^.*refs\/heads\//, ''))
        .filter((line) => line !== ''),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

export type GitClient = ReturnType<typeof gitClient>;

/** Credentials the way a credential helper gives them: first request without, second with. */
const helper = ({ name, token }: Account) => ({
  GIT_CONFIG_COUNT: '1',
  GIT_CONFIG_KEY_0: 'credential.helper',
  GIT_CONFIG_VALUE_0: `!f() { echo username=${name}; echo password=${token}; }; f`,
});
