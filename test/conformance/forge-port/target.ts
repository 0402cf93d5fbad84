import type { Forge, ForgeLimits } from '../../../packages/gitops-writer/src/ports.ts';
import type { GitClient } from '../forge/git-client.ts';

/** A forge with a repository of its own for one test, the port onto it, and what people do there. */
export type PortTarget = {
  readonly forge: Forge;
  readonly limits: ForgeLimits;
  /** Logins: the port's own, and of a person who may write. */
  readonly bot: string;
  readonly person: string;
  /** Work folder of a clone whose `origin` takes pushes. */
  readonly folder: string;
  /** Opens a pull request without changes too, as the real one does. */
  readonly opensEmpty?: true;
  /** What a person does on the forge. */
  close(number: number): Promise<void>;
  merge(number: number): Promise<void>;
  /** Comments in a person's name. */
  say(number: number, text: string): Promise<void>;
  /** Makes a rule stand against the merge of a pull request. */
  readonly block: (number: number) => Promise<void>;
  /** Opens a pull request from a fork's branch of the same name and commit. */
  readonly openFromFork?: (branch: string) => Promise<number>;
  /** Points an open pull request to another branch than `main`, or back. */
  readonly point?: (number: number, branch: string) => Promise<void>;
  /** What the forge shows of a pull request beside what the port reads. */
  shown(number: number): Promise<Shown>;
  /** Statuses of a commit, the newest of each context. */
  statuses(commit: string): Promise<readonly ShownStatus[]>;
};

export type Shown = {
  readonly labels: readonly string[];
  readonly reviewers: readonly string[];
  readonly comments: readonly { readonly author: string; readonly text: string }[];
};
export type ShownStatus = {
  readonly context: string;
  readonly state: 'pending' | 'success' | 'failure';
  readonly description: string;
  readonly url: string;
};

/** Where targets come from: one server for a whole file of tests. */
export type PortServer = {
  readonly newTarget: (git: GitClient) => Promise<PortTarget>;
  readonly stop: () => Promise<void>;
};

/** Commits files on top of the base as it is on the forge and pushes them as `branch`; answers the commit. */
export async function push(
  git: GitClient,
  folder: string,
  branch: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  await git.ok(folder, ['fetch', '--quiet', '--prune', 'origin']);
  await git.ok(folder, ['checkout', '--quiet', '-B', 'work', 'origin/main']);
  let head = '';
  for (const [path, text] of Object.entries(files)) head = await git.commit(folder, path, text);
  await git.ok(folder, ['push', '--quiet', '--force', 'origin', `work:refs/heads/${branch}`]);
  return head;
}

/** Something of the base branch as it is on the forge now, by `git log -1 --format`. */
export async function ofBase(git: GitClient, folder: string, format: string): Promise<string> {
  await git.ok(folder, ['fetch', '--quiet', '--prune', 'origin']);
  return git.ok(folder, ['log', '-1', `--format=${format}`, 'origin/main']);
}
