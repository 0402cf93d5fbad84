/** What an archive may be at most; a model that is larger needs other numbers, set by who runs Fairway. */
export type UnpackLimits = {
  readonly entries: number;
  /** Bytes of all files together, as they come out. */
  readonly bytes: number;
  /** Bytes that come out for each byte of the archive; deflate reaches 1,032. Counted from the first MiB that comes out. */
  readonly ratio: number;
  /** Bytes of a path. */
  readonly path: number;
  /** Archives inside archives. */
  readonly depth: number;
};

export const UNPACK_LIMITS: UnpackLimits = {
  entries: 20_000,
  bytes: 32 * 2 ** 30,
  ratio: 200,
  path: 400,
  depth: 1,
};
