/** What a manifest says of a blob or of another manifest (image-spec, descriptor.md). */
export type Descriptor = {
  readonly mediaType: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  readonly artifactType?: string | undefined;
  readonly platform?: Platform | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
};
export type Platform = { readonly os: string; readonly architecture: string; readonly variant?: string | undefined };

export type Manifest = { readonly mediaType: string; readonly bytes: Buffer; readonly digest: string };

/**
 * Bytes at hand; or bytes that `open` produces, once for each try, whose digest is known only when they end. With `digest`
 * the store may find the blob there already, and refuses other bytes.
 */
export type NewBlob =
  | { readonly bytes: Buffer }
  | { readonly open: () => AsyncIterable<Uint8Array>; readonly digest?: string };
export type Stored = { readonly digest: string; readonly size: number };

/**
 * Where images are kept: a layout folder or registries. `at` is the name of an image with its host, without tag and digest.
 * All that is read is checked against its digest. Throws `image.failed`, `disk.full` or `registry.unavailable`.
 */
export type ImageStore = {
  /** As sentences name it. */
  readonly name: string;
  has(at: string, digest: string): Promise<boolean>;
  /** Fails at the end, too, when the bytes are not what the digest says. */
  read(at: string, digest: string): AsyncIterable<Buffer>;
  /** Whether the blob is in `to` now, without its bytes having moved. */
  mount(digest: string, names: { readonly from: string; readonly to: string }): Promise<boolean>;
  add(at: string, blob: NewBlob): Promise<Stored>;
  /** By digest or tag; undefined: there is none. */
  manifest(at: string, reference: string): Promise<Manifest | undefined>;
  /** What it names must be there, except a `subject`; with a tag, the tag points to it afterwards. */
  putManifest(at: string, manifest: Omit<Manifest, 'digest'>, tag?: string): Promise<Stored>;
  /** Manifests whose `subject` is `digest`. */
  referrers(at: string, digest: string): Promise<Descriptor[]>;
  /**
   * What `work` writes by the store it is given may be durable, and be seen by others, only when this ends; a layout keeps nothing of it
   * when `work` throws. An image is written so: to wait for the disk once, for all its blobs, takes as long as for one of them.
   */
  together<T>(work: (store: ImageStore) => Promise<T>): Promise<T>;
  close(): void;
};
