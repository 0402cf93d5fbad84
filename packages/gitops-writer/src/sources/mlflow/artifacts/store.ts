import type { Readable } from 'node:stream';

/** A file below the root of a version's artifacts. `path` with `/`, relative to it. */
export type Artifact = {
  readonly path: string;
  /** Undefined where the store does not tell it. */
  readonly size: number | undefined;
  /** Another one when the content is another one; undefined where the store has none. */
  readonly etag: string | undefined;
};

/** Where the files of one version are. Both throw `registry.unavailable`, and `model.invalid` for what cannot be read at all. */
export type ArtifactStore = {
  /** Every file, in no order. Paths are as the store has them: not to be trusted. */
  readonly list: () => Promise<Artifact[]>;
  /** The bytes of one of them. */
  readonly open: (artifact: Artifact, signal: AbortSignal) => Promise<Readable>;
  /** Closes connections of its own. */
  readonly close: () => void;
};
