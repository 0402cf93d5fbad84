import type { Headers } from './answer.ts';

/** An answer to a GET that the forge may confirm with 304 instead of sending it again. */
export type Kept = { readonly etag: string; readonly text: string; readonly headers: Headers };

/** Answers by URL, least recently used first out once they take more than `maxBytes` together. */
export type Etags = { get(url: string): Kept | undefined; put(url: string, kept: Kept): void };

export function etags(maxBytes: number): Etags {
  const kept = new Map<string, Kept>();
  let bytes = 0;
  const drop = (url: string) => {
    const old = kept.get(url);
    if (old === undefined) return;
    kept.delete(url);
    bytes -= sizeOf(url, old);
  };
  return {
    get: (url) => {
      const found = kept.get(url);
      if (found === undefined) return undefined;
      kept.delete(url);
      kept.set(url, found);
      return found;
    },
    put: (url, entry) => {
      drop(url);
      const size = sizeOf(url, entry);
      if (size > maxBytes) return;
      kept.set(url, entry);
      bytes += size;
      for (const oldest of kept.keys()) {
        if (bytes <= maxBytes) break;
        drop(oldest);
      }
    },
  };
}

/** Strings take up to two bytes a character; the rest is a guess at what an entry costs besides. */
const sizeOf = (url: string, { etag, text }: Kept): number => 2 * (url.length + etag.length + text.length) + 1_000;
