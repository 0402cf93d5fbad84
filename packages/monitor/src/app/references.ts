import type { Clock } from '@fairway/core';
import type { Reference, ReferenceStore, Writer } from '../ports.ts';

export type References = (model: string, version: string) => Promise<Reference | undefined>;

/** A version that the writer does not know yet is asked for again after this long. */
const UNKNOWN_FOR_MS = 10_000;
/**
 * So many references are at hand, those asked for last. A parsed baseline with a thousand scores holds 70 to 90 KB; all versions of all
 * models, for as long as a process lives, were most of what a monitor of a thousand models held. Another look costs a row by its key.
 */
const AT_HAND = 200;

/**
 * Baseline and signature of a model version: from memory, else from the database, else from the writer, who is asked once
 * per version for good. undefined: never deployed (or no version was learned). The writer being down throws a retryable error.
 */
export function cachedReferences(
  store: ReferenceStore,
  writer: Pick<Writer, 'reference'>,
  clock: Clock,
  atHand = AT_HAND,
): References {
  const known = new Map<string, Reference>();
  const unknownUntil = new Map<string, number>();

  const find = async (model: string, version: string): Promise<Reference | undefined> => {
    const stored = await store.reference(model, version);
    if (stored !== undefined) return stored;
    const committed = await writer.reference(model, version);
    if (committed !== undefined) await store.keepReference(committed);
    return committed;
  };
  return async (model, version) => {
    const key = `${model}/${version}`;
    if (version === '' || (unknownUntil.get(key) ?? 0) > clock.now()) return undefined;
    const reference = known.get(key) ?? (await find(model, version));
    unknownUntil.delete(key);
    if (reference === undefined) keep(unknownUntil, key, clock.now() + UNKNOWN_FOR_MS, atHand);
    else keep(known, key, reference, atHand);
    return reference;
  };
}

/** Maps keep the order of insertion: what was kept first goes first. */
function keep<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
}
