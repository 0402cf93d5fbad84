import type { PullRequest } from '@fairway/core';

/** What stands between an open pull request and its merge, in the forge's own words; for people, never for decisions. */
export type Standing =
  | { readonly kind: 'ready' | 'unknown' }
  | { readonly kind: 'blocked' | 'queued' | 'draft'; readonly reason: string };

export type ForgePullRequest = PullRequest & {
  readonly branch: string;
  readonly title: string;
  readonly body: string;
  readonly mergedAt?: string;
  /** Login of who merged or closed it, where the forge tells. */
  readonly endedBy?: string;
  readonly standing: Standing;
  /** Of one that was read: the branch that somebody has pointed it to instead of the default branch. */
  readonly into?: string;
};

export type NewPullRequest = {
  readonly branch: string;
  readonly title: string;
  readonly body: string;
  readonly labels: readonly string[];
  /** Logins, or `team:<slug>` where the forge knows teams; one that the forge does not know is left out. */
  readonly reviewers: readonly string[];
};

export type CommitStatus = {
  readonly context: string;
  readonly state: 'pending' | 'success' | 'failure';
  readonly description: string;
  readonly url?: string;
};

export type MergeAnswer =
  | { readonly kind: 'merged' }
  | { readonly kind: 'moved' | 'not-yet' | 'blocked' | 'queued'; readonly reason: string };

/** What the edit of a pull request may change; fields that are left out stay. */
export type PullRequestEdit = { readonly title?: string; readonly body?: string; readonly state?: 'closed' };

/** A Git host with pull requests. All calls may be made twice. */
export type Forge = {
  /** Of several for the branch: the open one, else the merged one, else the newest closed one. */
  find(branch: string): Promise<ForgePullRequest | undefined>;
  /** Opens it, or answers the one that is already open for the branch. */
  open(request: NewPullRequest): Promise<ForgePullRequest>;
  read(number: number): Promise<ForgePullRequest>;
  edit(number: number, edit: PullRequestEdit): Promise<void>;
  /** Writes the one comment that carries `marker`; edits it when the text differs. */
  comment(number: number, marker: string, text: string): Promise<void>;
  setStatus(commit: string, status: CommitStatus): Promise<void>;
  /** Merges only while the head is `headSha`. */
  merge(number: number, headSha: string, message: string): Promise<MergeAnswer>;
  /** Every pull request into the default branch whose head branch starts with `prefix`, in any state, oldest first. */
  list(prefix: string): AsyncIterable<ForgePullRequest>;
  /** Every open pull request into the default branch that comes from another repository, oldest first. */
  foreign(): AsyncIterable<ForgePullRequest>;
};

/** A write may create content, a read does not. */
export type CallKind = 'read' | 'write';

/** At most `limit` in any `lengthMs`; what a call costs depends on its kind. */
export type CallWindow = { readonly lengthMs: number; readonly limit: number } & Readonly<Record<CallKind, number>>;

/** The calls that all replicas together make of a host: its limits are those of the account, which they share. */
export type SharedCalls = {
  /** Milliseconds until such a call may go out; 0 = it may, and is counted. `resource`: part of the API. Throws `database.unavailable`. */
  take(host: string, resource: string, kind: CallKind, windows: readonly CallWindow[]): Promise<number>;
  /** Nobody calls this part of the API any more for so long; `*` is all of it. */
  pause(host: string, resource: string, ms: number): Promise<void>;
};

/** User and token for Git over HTTPS. The token may be one that expires and is renewed, so ask before each use. */
export type GitCredentials = () => Promise<{ readonly user: string; readonly token: string }>;

/** Most characters of a pull request's body. */
export type ForgeLimits = { readonly body: number };

/** Headers of a delivery, names in lower case. */
export type DeliveryHeaders = Readonly<Record<string, string | undefined>>;

export type WebhookVerdict =
  /** `id`: of the delivery, for the replay cache; `branches`: none when it does not say (then none is woken). */
  | { readonly kind: 'accepted'; readonly id: string; readonly branches: readonly string[] }
  | { readonly kind: 'refused'; readonly reason: string };

/** How a forge's webhook is verified (over the raw body, constant time, any of `secrets`) and read. */
export type WebhookReader = {
  /** `now`: ms since the epoch, for schemes that sign a time. */
  read(body: Buffer, headers: DeliveryHeaders, secrets: readonly string[], now: number): WebhookVerdict;
};
