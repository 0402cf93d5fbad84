import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@fairway/core';
import { type GitEngine, gitEngine, type GitSettings } from '../../../packages/gitops-writer/src/git/engine.ts';
import { gitEnvironment } from '../../../packages/gitops-writer/src/git/environment.ts';

export const FOLDER = 'models/m/environments/dev';
export const BOT = { name: 'bot', email: 'bot@example.com' };
export const DATE = '2026-11-22T08:30:00.000Z';

export type BareRemote = ReturnType<typeof bareRemote>;

/** Git below `dir`, with nothing of the machine's configuration. */
export const gitIn =
  (dir: string) =>
  (args: readonly string[], input: string | Buffer = '', env: Record<string, string> = {}): string =>
    execFileSync('git', [...args], {
      cwd: dir,
      env: { ...gitEnvironment(process.env['PATH']), ...env },
      input,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      stdio: ['pipe', 'pipe', 'pipe'],
    }).trim();

/** A bare repository with one commit on its default branch (none when `empty`), in a folder with a blank in its name. */
export function bareRemote({ branch = 'main', format = 'sha1', empty = false } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'fairway git '));
  const folder = join(dir, 'remote.git');
  mkdirSync(folder);
  const git = gitIn(folder);
  git(['init', '--quiet', '--bare', `--initial-branch=${branch}`, `--object-format=${format}`, '.']);
  if (!empty) {
    const person = 'committer T <t@example.com> 1600000000 +0000';
    const file = 'M 100644 inline README.md\ndata 2\nx\n';
    git(['fast-import', '--quiet'], `commit refs/heads/${branch}\n${person}\ndata 1\nx\n${file}`);
  }
  const engines: GitEngine[] = [];
  const url = `file://${folder}`;
  /** A writer's engine on this remote; a second one takes the mirror of the first over. */
  const engine = (settings: Partial<GitSettings> = {}): GitEngine => {
    const made = gitEngine({
      access: { url, credentials: () => Promise.resolve(undefined) },
      branch,
      dataDir: join(dir, 'data'),
      person: BOT,
      clock: systemClock,
      path: process.env['PATH'],
      ...settings,
    });
    engines.push(made);
    return made;
  };
  const remove = async () => {
    await Promise.all(engines.map(({ mirror }) => mirror.close()));
    rmSync(dir, { recursive: true, force: true });
  };
  /** Commits straight into the remote: `count` times one file. */
  const push = (count: number, path: (i: number) => string): string => {
    const text = (i: number) => `value ${i}\n`;
    const stream = Array.from({ length: count }, (_, i) => {
      const from = i === 0 ? `from refs/heads/${branch}^0\n` : '';
      const head = `commit refs/heads/${branch}\ncommitter T <t@example.com> ${1_700_000_000 + i} +0000\ndata 1\nx\n`;
      return `${head}${from}M 100644 inline ${path(i)}\ndata ${text(i).length}\n${text(i)}`;
    });
    git(['fast-import', '--quiet', '--force'], stream.join(''));
    return git(['rev-parse', branch]);
  };
  return { dir, folder, url, git, engine, push, remove };
}

export const request = (parent: string, text = 'one\n', folder = FOLDER) => ({
  parent,
  folders: [folder],
  files: [{ path: `${folder}/a.yaml`, text }],
  message: 'Subject\n\nTrailer: ä\n',
  date: DATE,
});
