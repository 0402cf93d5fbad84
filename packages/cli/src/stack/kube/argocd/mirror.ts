import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Git } from './git.ts';

/** Ids of commits by full ref name, and `HEAD`. */
export type Refs = ReadonlyMap<string, string>;

/** A bare clone of one repository. Its answers about one commit never change, so they are kept. */
export type Mirror = {
  /** Where the remote's refs were at the last refresh; undefined before the first. */
  refs(): Refs | undefined;
  /** Asks the remote, fetches what is new; answers whether anything moved. */
  refresh(): Promise<boolean>;
  directories(commit: string): Promise<string[]>;
  treeOf(commit: string, path: string): Promise<string | undefined>;
  checkOut(commit: string, path: string): Promise<string>;
};

const KEPT_ANSWERS = 2000;
const REFSPECS = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*'];

/** `git`: made anew for each call, since credentials may change. */
export function openMirror(url: string, dir: string, workDir: string, git: () => Git): Mirror {
  const local = (args: readonly string[], env?: Readonly<Record<string, string>>) =>
    git()(['--git-dir', dir, ...args], env);
  const ask = remembered((args: readonly string[]) => local(args));
  let refs: Refs | undefined;
  return {
    refs: () => refs,
    async refresh() {
      const listed = parseRefs(await git()(['ls-remote', '--', url]));
      if (refs && sameRefs(refs, listed)) return false;
      if (!existsSync(join(dir, 'HEAD'))) await git()(['init', '--quiet', '--bare', dir]);
      if (listed.size > 0) await local(['fetch', '--quiet', '--force', '--prune', '--no-tags', '--', url, ...REFSPECS]);
      refs = listed;
      return true;
    },
    async directories(commit) {
      const out = await ask(['ls-tree', '-r', '-d', '-z', '--name-only', '--full-tree', commit]);
      return out.split('\0').filter((path) => path !== '');
    },
    async treeOf(commit, path) {
      if (path === '.' || path === '') return commit;
      return /^\d+ tree ([0-9a-f]+)\t/.exec(await ask(['ls-tree', '-d', '-z', '--full-tree', commit, '--', path]))?.[1];
    },
    async checkOut(commit, path) {
      const folder = mkdtempSync(join(workDir, 'tree-'));
      const args = ['--work-tree', folder, 'checkout', '--quiet', '--force', commit, '--', path === '' ? '.' : path];
      await local(args, { GIT_INDEX_FILE: `${folder}.index` }).finally(() =>
        rmSync(`${folder}.index`, { force: true }),
      );
      return folder;
    },
  };
}

/** Keeps the answers of the last {@link KEPT_ANSWERS} questions; a failed one is asked anew. */
function remembered(ask: (args: readonly string[]) => Promise<string>): (args: readonly string[]) => Promise<string> {
  const answers = new Map<string, Promise<string>>();
  return (args) => {
    const key = args.join('\0');
    const answer = answers.get(key) ?? ask(args);
    answers.set(key, answer);
    if (answers.size > KEPT_ANSWERS) answers.delete(answers.keys().next().value ?? '');
    answer.catch(() => answers.delete(key));
    return answer;
  };
}

function parseRefs(listed: string): Refs {
  const lines = listed.split('\n').filter((line) => line !== '');
  // `<tag>^{}` is the commit behind an annotated tag; it comes after the tag and takes its place.
  return new Map(lines.map((line) => [line.slice(41).replace(/\^\{\}$/, ''), line.slice(0, 40)]));
}

function sameRefs(a: Refs, b: Refs): boolean {
  return a.size === b.size && [...a].every(([name, id]) => b.get(name) === id);
}

/** The commit that a branch, tag, full ref, HEAD or commit id means. */
export function findRef(refs: Refs, revision: string): string | undefined {
  if (/^[0-9a-f]{40}$/.test(revision)) return revision;
  return (
    refs.get(revision === '' ? 'HEAD' : revision) ??
    refs.get(`refs/heads/${revision}`) ??
    refs.get(`refs/tags/${revision}`)
  );
}
