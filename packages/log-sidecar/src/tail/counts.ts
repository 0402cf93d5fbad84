/** Plain counters of one tail: rows = sent + all refused. */
export type TailCounts = {
  /** Rows behind which the checkpoint stands. */
  rows: number;
  sent: number;
  readonly refused: Record<string, number>;
  packs: number;
  /** Of the rows sent, those labels that the recorder took. */
  labels: number;
  /** And those that it refused for good. */
  labelsRefused: number;
  /** Packs the queue, or labels the recorder, did not take at once. */
  failures: number;
  /** Files that were cut to nothing or replaced under the same inode. */
  truncations: number;
  /** Bytes seen and not read, of files that were given up; see `bytesMissing`. */
  missingBytes: number;
  /** Files that cannot be tailed, such as archives. */
  foreignFiles: number;
};

export const createTailCounts = (): TailCounts => ({
  rows: 0,
  sent: 0,
  refused: {},
  packs: 0,
  labels: 0,
  labelsRefused: 0,
  failures: 0,
  truncations: 0,
  missingBytes: 0,
  foreignFiles: 0,
});

/** What a tail holds at the moment. */
export type TailState = {
  readonly files: number;
  readonly openFiles: number;
  readonly bytesBehind: number;
  /** Seen and not read, of files that are gone: a copy, or their new name, may still turn up. */
  readonly bytesMissing: number;
  /** Since when rows wait for the queue, monotonic ms. */
  readonly behindSince: number | undefined;
};
