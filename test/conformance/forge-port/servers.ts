import { startGitea } from './gitea.ts';
import { startFakeGithub } from './github.ts';
import { startFakeGitlab } from './gitlab.ts';
import type { PortServer } from './target.ts';

/** Every forge that the port is held against. */
export const SERVERS: Readonly<Record<string, () => Promise<PortServer>>> = {
  'Gitea (embedded)': startGitea,
  GitHub: () => startFakeGithub(false),
  'GitHub Enterprise': () => startFakeGithub(true),
  GitLab: () => startFakeGitlab(false),
  'GitLab before 15.6': () => startFakeGitlab(true),
};
