import type { UnpackLimits } from './limits.ts';

/** What came out of an archive: a private folder, and how to be rid of it (any number of times). */
export type Unpacked = { readonly folder: string; dispose(): Promise<void> };

/**
 * Unpacks the archive `file` (zip, tar or gzip'd tar, by its first bytes and never by its name) into a new folder below `scratch`.
 * Throws `model.invalid` with a sentence that names the entry and what is wrong with it, and leaves nothing behind.
 */
export function unpack(
  _file: string,
  _scratch: string,
  _options?: { readonly limits?: Partial<UnpackLimits>; readonly signal?: AbortSignal },
): Promise<Unpacked> {
  return Promise.reject(new Error('not yet'));
}
