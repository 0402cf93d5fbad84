/** What the forge keeps of one repository beside Git's own objects and refs; one JSON file. Times are RFC 3339 UTC. */
export type RepositoryState = {
  id: number;
  owner: string;
  name: string;
  description: string;
  defaultBranch: string;
  createdAt: string;
  updatedAt: string;
  /** Next pull request number and next id of everything else. */
  nextNumber: number;
  nextId: number;
  pulls: PullState[];
  comments: CommentState[];
  labels: LabelState[];
  statuses: StatusState[];
  hooks: HookState[];
  /** Branch heads whose events have been told; the difference to Git is what is still to be told. */
  heads: Record<string, string>;
};

export type PullState = {
  number: number;
  title: string;
  body: string;
  author: string;
  head: string;
  base: string;
  state: 'open' | 'closed';
  /** Last head while open; also kept as `refs/pull/<number>/head`, so that a deleted branch loses nothing. */
  headSha: string;
  /** Merge base when closed or merged; while open it is computed. */
  mergeBase: string;
  labels: number[];
  reviewers: string[];
  createdAt: string;
  updatedAt: string;
  closedAt?: string;
  /** Who closed it without a merge; nobody where its branch was deleted. */
  closedBy?: string;
  merged?: Merged;
  /** Written before the base branch moves: after a crash, start-up looks whether it did. */
  merging?: Merged;
};

type Merged = { commit: string; by: string; at: string };

export type CommentState = {
  id: number;
  number: number;
  author: string;
  body: string;
  createdAt: string;
  updatedAt: string;
};

export type LabelState = { id: number; name: string; color: string; description: string };

export const STATUS_STATES = ['pending', 'success', 'error', 'failure', 'warning'] as const;
export type StatusState = {
  id: number;
  sha: string;
  state: (typeof STATUS_STATES)[number];
  context: string;
  description: string;
  targetUrl: string;
  creator: string;
  createdAt: string;
};

export type HookState = {
  id: number;
  type: string;
  url: string;
  secret: string;
  contentType: string;
  events: string[];
  active: boolean;
  createdAt: string;
};

export const newRepository = (
  base: Pick<RepositoryState, 'id' | 'owner' | 'name' | 'description' | 'defaultBranch'>,
  at: string,
): RepositoryState => ({
  ...base,
  createdAt: at,
  updatedAt: at,
  nextNumber: 1,
  nextId: 1,
  pulls: [],
  comments: [],
  labels: [],
  statuses: [],
  hooks: [],
  heads: {},
});
