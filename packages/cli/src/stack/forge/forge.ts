import { type Clock, iso, type Logger } from '@fairway/core';
import { refuse } from '../web/http.ts';
import type { Compare } from './compare.ts';
import type { Git } from './git.ts';
import type { Person } from './objects.ts';
import type { PullState, RepositoryState } from './state.ts';
import type { Store } from './store.ts';
import { emailOf, type User, type Users } from './users.ts';
import type { Webhooks } from './webhooks.ts';

/** Everything the use cases of the forge need; made once in server.ts. */
export type Forge = {
  readonly store: Store;
  readonly users: Users;
  readonly hooks: Webhooks;
  readonly compare: Compare;
  readonly clock: Clock;
  readonly log: Logger;
  /** Public base for links, without a trailing slash. */
  readonly url: string;
  git(repository: Pick<RepositoryState, 'owner' | 'name'>): Git;
  /** Git in a folder that is not in place yet. */
  gitAt(dir: string): Git;
};

export type Repository = Readonly<RepositoryState>;

/** Git's empty tree: what a branch without a common ancestor is compared with. */
export const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

export const now = (forge: Forge): string => iso(forge.clock.now());

/** Who commits when a user acts through the forge; Git keeps whole seconds. */
export const signature = (forge: Forge, user: Pick<User, 'name'>): Person => ({
  name: user.name,
  email: emailOf(user.name),
  date: `${now(forge).slice(0, 19)}Z`,
});

/** The repository, or Gitea's 404. */
export function repositoryOf(forge: Forge, owner: string | undefined, name: string | undefined): Repository {
  const found = forge.store.get(owner ?? '', (name ?? '').replace(/\.git$/, ''));
  return found ?? refuse(404, "The target couldn't be found.");
}

/** The pull request of a number as it stands in a path, or Gitea's 404. */
export function pullOf(repository: Pick<RepositoryState, 'pulls'>, number: string | number | undefined): PullState {
  const found = repository.pulls.find((pull) => String(pull.number) === String(number));
  return found ?? refuse(404, "The target couldn't be found.");
}
