/** Something that breaks the chain. `message` is a sentence; times are RFC 3339. */
export type Finding = {
  readonly kind: 'outside' | 'broken' | 'foreign' | 'trailers' | 'absent' | 'twice' | 'quarantined' | 'signature';
  readonly commit: string;
  readonly author: string;
  readonly date: string;
  readonly paths: readonly string[];
  readonly message: string;
  readonly change?: string;
};

/** What Git said should serve in an environment, from one merge to the next. */
export type Served = {
  readonly model: string;
  readonly environment: string;
  /** undefined: nobody can tell, because the folder does not hold a chain. */
  readonly version?: string;
  readonly digest?: string;
  /** Change that the folder names, and the one that brought it if that is another (a rollback). */
  readonly change?: string;
  readonly broughtBy?: string;
  readonly approvedBy?: string;
  readonly event?: string;
  readonly commit: string;
  readonly from: string;
  readonly until?: string;
  /** Whether the bytes are those that were approved. */
  readonly proven: boolean;
};

export type AuditReport = {
  /** Ref that was audited, and the commit that it pointed to. */
  readonly ref: string;
  readonly commit: string;
  /** Commits of its first-parent history. */
  readonly commits: number;
  /** Changes that have been merged and hold. */
  readonly changes: number;
  readonly served: readonly Served[];
  readonly findings: readonly Finding[];
};
