/** Nonces of signed requests, kept where every replica sees them. */
export type Nonces = {
  /** false when the key has used this nonce before; it is remembered for `ttlMs`. Throws `database.unavailable`. */
  use(key: string, nonce: string, ttlMs: number): Promise<boolean>;
};

/** What a delivery of the forge is about. */
export type Hint = {
  readonly branches: readonly string[];
  /** The default branch has moved: whatever waits for it is due. */
  readonly base: boolean;
};

/** Webhook deliveries, each taken once. */
export type Deliveries = {
  /**
   * Remembers the delivery and makes the changes due that it hints at, in one transaction. Answers their ids, or
   * `replayed` when one with any of these marks was taken before.
   */
  take(forge: string, marks: readonly string[], hint: Hint): Promise<readonly string[] | 'replayed'>;
  /** Another text after each delivery that was taken; undefined: there was none for a day. */
  latest(forge: string): Promise<string | undefined>;
};
