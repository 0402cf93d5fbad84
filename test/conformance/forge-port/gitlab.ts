import { FORGES } from '../../../packages/gitops-writer/src/forges.ts';
import { GITLAB_USERS, startGitlab } from '../../harness/forges/gitlab.ts';
import type { GitClient } from '../forge/git-client.ts';
import { peopleOf } from './people.ts';
import type { PortServer, PortTarget } from './target.ts';

/** The rule-keeping GitLab of the harness. */
export async function startFakeGitlab(isOld: boolean): Promise<PortServer> {
  const server = await startGitlab({ isOld });
  let made = 0;
  const newTarget = async (git: GitClient): Promise<PortTarget> => {
    const name = `p${++made}`;
    const project = await server.newProject(`bank/risk team/${name}`);
    const forge = FORGES.gitlab.open({
      url: server.url,
      repository: project.full,
      credentials: () => Promise.resolve({ user: 'fairway-bot', token: GITLAB_USERS['fairway-bot'] }),
      base: 'main',
      clock: { now: () => Date.now() },
    });
    const folder = await git.clone(project.dir, `${isOld ? 'o' : 'l'}${name}`);
    const people = peopleOf(project, 'fairway-bot', 'ann', 'refs/merge-requests');
    // Old releases show no other rule than this one.
    const draft = (number: number) => {
      for (const pull of project.pulls) if (pull.number === number) pull.draft = true;
      return Promise.resolve();
    };
    const block = isOld ? draft : people.block;
    return { ...people, forge, limits: FORGES.gitlab.limits, folder, opensEmpty: true, block };
  };
  return { newTarget, stop: server.stop };
}
