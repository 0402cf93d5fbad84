import { afterAll, beforeAll, beforeEach } from 'vitest';
import { type GitClient, gitClient } from '../forge/git-client.ts';
import type { PortServer, PortTarget } from './target.ts';

/** One server for the tests of a `describe`, and for each test a repository of its own, which `take` gets before the test begins. */
export function freshTargets(
  start: () => Promise<PortServer>,
  take: (target: PortTarget, git: GitClient) => void,
): void {
  let server: PortServer;
  let git: GitClient;
  beforeAll(async () => {
    git = gitClient();
    server = await start();
  });
  afterAll(async () => {
    await server.stop();
    git.remove();
  });
  beforeEach(async () => take(await server.newTarget(git), git));
}
