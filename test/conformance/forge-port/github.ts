import { addressOf } from '../../../packages/gitops-writer/src/forges/github/address.ts';
import { githubForge } from '../../../packages/gitops-writer/src/forges/github/forge.ts';
import { GITHUB_LIMITS } from '../../../packages/gitops-writer/src/forges/http/budget.ts';
import { FORGES } from '../../../packages/gitops-writer/src/forges.ts';
import { GITHUB_USERS, startGithub } from '../../harness/forges/github.ts';
import type { GitClient } from '../forge/git-client.ts';
import { peopleOf } from './people.ts';
import type { PortServer, PortTarget } from './target.ts';

/** The rule-keeping GitHub of the harness, as github.com has its API or as an Enterprise Server has it. */
export async function startFakeGithub(enterprise: boolean): Promise<PortServer> {
  const server = await startGithub({ enterprise });
  const { api, graphql, url } = server;
  const address = enterprise ? addressOf(url) : { api, graphql, limits: GITHUB_LIMITS };
  let made = 0;
  const newTarget = async (git: GitClient): Promise<PortTarget> => {
    const name = `r${++made}`;
    const repository = await server.newRepository(`bank/${name}`);
    const forge = githubForge({
      address,
      repository: repository.full,
      credentials: { current: () => Promise.resolve({ user: 'fairway-bot', token: GITHUB_USERS['fairway-bot'] }) },
      base: 'main',
      clock: { now: () => Date.now() },
    });
    const folder = await git.clone(repository.dir, `${enterprise ? 'e' : 'c'}${name}`);
    return { forge, limits: FORGES.github.limits, folder, ...peopleOf(repository, 'fairway-bot', 'ann') };
  };
  return { newTarget, stop: server.stop };
}
