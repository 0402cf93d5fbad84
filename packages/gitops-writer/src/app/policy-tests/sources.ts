import type { BranchEdits, Forge, ForgePullRequest } from '../../ports.ts';
import { longer, NO_REST, type Rest } from './rest.ts';

/** Something that may become the default branch; `key` names it among all: a branch, or a pull request from a fork. */
export type Source = {
  readonly key: string;
  readonly commit: string;
  readonly pull: () => Promise<ForgePullRequest | undefined>;
};

export type SourceContext = {
  readonly branches: BranchEdits;
  readonly forge: Forge;
  /** Something else each time the forge has delivered news; undefined where it has delivered none. */
  readonly news: () => Promise<string | undefined>;
};

/** All sources of a kind; their keys begin with `kind`. */
export type Sources = () => Promise<{ readonly kind: string; readonly all: readonly Source[] }>;

/** Branches of our own changes never touch a policy. */
const OURS = 'fairway/';
/** Five minutes of looks, for forges that deliver nothing here. */
const LONGEST_LIST_REST = 10;

export const branchSources =
  ({ branches, forge }: SourceContext): Sources =>
  async () => {
    const people = [...branches.all()].filter(([branch]) => !branch.startsWith(OURS));
    const all = people.map(([branch, commit]) => ({ key: `branch ${branch}`, commit, pull: () => forge.find(branch) }));
    return { kind: 'branch ', all };
  };

/**
 * Open pull requests from forks. Only the list of all tells of them, our own thousands among them, so it is asked for when the forge has
 * delivered something, and else ever more seldom while it stays the same.
 */
export function forkSources({ forge, news }: SourceContext): Sources {
  let known: readonly Source[] = [];
  let rest: Rest = NO_REST;
  let heard: string | undefined;
  return async () => {
    const latest = await news();
    if (rest.left > 0 && latest === heard) {
      rest = { ...rest, left: rest.left - 1 };
    } else {
      const all = await listed(forge);
      rest = namesOf(all) === namesOf(known) ? longer(rest, LONGEST_LIST_REST) : NO_REST;
      [known, heard] = [all, latest];
    }
    return { kind: 'fork ', all: known };
  };
}

async function listed(forge: Forge): Promise<Source[]> {
  const all: Source[] = [];
  for await (const { number, headSha } of forge.foreign()) {
    all.push({ key: `fork ${number}`, commit: headSha, pull: () => forge.read(number) });
  }
  return all;
}

const namesOf = (sources: readonly Source[]): string => sources.map(({ key, commit }) => `${key} ${commit}`).join('\n');
