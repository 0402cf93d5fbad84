/** A file of the GitOps repository: path from its root, UTF-8 text. */
export type RepositoryFile = { readonly path: string; readonly text: string };

export type CommitRequest = {
  readonly parent: string;
  /** Everything below these folders is replaced by what `files` has below them; files elsewhere are added or overwritten. */
  readonly folders: readonly string[];
  readonly files: readonly RepositoryFile[];
  readonly message: string;
  /** Author and committer date, RFC 3339: the same request always makes the same tree, and unsigned the same commit id. */
  readonly date: string;
};

/** The GitOps repository. Refs are those of the last look at the remote. */
export type Repository = {
  /** Commit id of the default branch; looks at the remote unless the last look is younger than `maxAgeMs` (in a burst, if not 0, a few seconds). */
  head(maxAgeMs: number): Promise<string>;
  branch(name: string): Promise<string | undefined>;
  /** Text and blob id of a file; undefined when there is none. */
  read(commit: string, path: string): Promise<{ readonly text: string; readonly blob: string } | undefined>;
  folders(commit: string, path: string): Promise<string[]>;
  /** Every file below a folder, sorted by path; empty when there is no such folder. */
  files(commit: string, folder: string): Promise<RepositoryFile[]>;
  /** Writes a commit into the object database; no ref of the remote moves. Requests at the same time share one git. */
  commit(request: CommitRequest): Promise<string>;
  /** Whether `commit` is the one that `request` makes: parent, tree, message, author and date; a signature may differ. */
  carries(commit: string, request: CommitRequest): Promise<boolean>;
  /**
   * Moves the remote branch from `expected` to `commit`; `expected` undefined: it must not exist; `commit` undefined: it
   * is deleted. Pushes at the same time go out together, each with its own compare-and-swap. Throws `git.race` or `git.refused`.
   */
  push(branch: string, commit: string | undefined, expected: string | undefined): Promise<void>;
};

/** How a later commit stands to the commit X that merged a change, as far as the change's folder is concerned. */
export type Relation =
  | { readonly kind: 'contains' }
  | { readonly kind: 'before' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'superseded'; readonly by: string };

/** What happened between two commits: who wrote them, and which files differ. */
export type Edits = { readonly authors: readonly string[]; readonly paths: readonly string[] };

/** A commit of the default branch's first-parent history, with the trailers of all commits that it brought in. */
export type HistoryEntry = {
  readonly commit: string;
  /** The other parents of a merge. */
  readonly merged: readonly string[];
  readonly parent?: string;
  readonly author: string;
  readonly date: string;
  readonly message: string;
};

export type History = {
  relation(merge: string, revision: string, folder: string): Promise<Relation>;
  /** Whether merging the two commits would conflict, computed here and not asked of the forge. */
  conflicts(base: string, head: string): Promise<boolean>;
  parent(commit: string): Promise<string | undefined>;
  edits(from: string, to: string): Promise<Edits>;
  /** First-parent history of a commit, oldest first, only what touches `folder` when that is given. */
  walk(head: string, folder?: string): AsyncIterable<HistoryEntry>;
};

/** What the branches of the repository change. */
export type BranchEdits = {
  /** Commit of every branch by its name, as of the last look. */
  all(): ReadonlyMap<string, string>;
  /** Files that differ between `commit` and where it parted from `base`; none when the two have nothing in common. */
  changed(base: string, commit: string): Promise<readonly string[]>;
  /** Gets a commit that no branch leads to, as the head of a fork's pull request. */
  get(commit: string): Promise<ForeignCommit>;
};

/** `absent`: the remote does not give it; `largerThanMib`: it brings more than that, and nothing of it is kept. */
export type ForeignCommit = 'here' | 'absent' | { readonly largerThanMib: number };

/** `date` is the author's, RFC 3339. */
export type PastCommit = { readonly parent?: string; readonly date: string; readonly message: string };

/** Commits by id, also those that no branch leads to any more, as those of closed pull requests. */
export type PastCommits = {
  /** Got from the remote with its files when it is not here; undefined when the remote does not give it. */
  find(commit: string): Promise<PastCommit | undefined>;
};
