import {
  closePull,
  type FakeRepository,
  mergePull,
  newId,
  openPull,
  refresh,
} from '../../harness/forges/repository.ts';
import { moveRef } from '../../../packages/cli/src/stack/forge/objects.ts';
import type { PortTarget, ShownStatus } from './target.ts';

/** What people do and see in a repository of a fake; `heads`: where it keeps the heads of pull requests. */
export function peopleOf(
  repository: FakeRepository,
  bot: string,
  person: string,
  heads = 'refs/pull',
): Omit<PortTarget, 'forge' | 'limits' | 'folder'> {
  const pullOf = async (number: number) => {
    await refresh(repository);
    const pull = repository.pulls.find((one) => one.number === number);
    if (pull === undefined) throw new Error(`there is no pull request #${number}`);
    return pull;
  };
  return {
    bot,
    person,
    close: async (number) => closePull(await pullOf(number), person),
    merge: async (number) => {
      if (!(await mergePull(repository, await pullOf(number), person, `Merge #${number}`))) throw new Error('conflict');
    },
    say: async (number, text) => {
      (await pullOf(number)).comments.push({ id: newId(), author: person, text, system: false });
    },
    block: () => {
      repository.rules.approvals = 1;
      return Promise.resolve();
    },
    point: async (number, branch) => {
      (await pullOf(number)).base = branch;
    },
    openFromFork: async (branch) => {
      const wanted = { title: 'From a fork', body: '', head: branch, base: 'main' };
      // The worst kind: within the same organisation.
      const { number, headSha } = await openPull(repository, wanted, 'mallory', repository.full.split('/')[0]);
      await moveRef(repository.git, `${heads}/${number}/head`, headSha);
      return number;
    },
    shown: async (number) => {
      const { labels, reviewers, comments } = await pullOf(number);
      return { labels, reviewers, comments: comments.filter(({ system }) => !system) };
    },
    statuses: (commit) => {
      const latest = new Map<string, ShownStatus>();
      for (const { context, state, description, url } of repository.statuses.get(commit) ?? []) {
        const shown = state === 'failed' ? 'failure' : (state as ShownStatus['state']);
        latest.set(context, { context, state: shown, description, url });
      }
      return Promise.resolve([...latest.values()]);
    },
  };
}
