/** The trailers by which a commit says which change it carries (docs/chain.md). */
export type Trailers = ReadonlyMap<string, string>;

const TRAILER = /^Fairway-([A-Z][A-Za-z-]*):[ \t]*(.*?)[ \t]*$/;

/**
 * The Fairway trailers of a commit message by name without the prefix, wherever they stand in it: a squash puts its own
 * lines below them. Empty when there are none; `conflict` when one is there twice with different values.
 */
export function readTrailers(message: string): Trailers | 'conflict' {
  const found = new Map<string, string>();
  for (const line of message.split(/\r?\n/)) {
    const [, name, value] = TRAILER.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    if (found.has(name) && found.get(name) !== value) return 'conflict';
    found.set(name, value);
  }
  return found;
}

/** A value as a trailer holds it: on one line. */
export const trailerValue = (value: string): string => value.replaceAll(/\s+/g, ' ').trim();
