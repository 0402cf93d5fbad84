import type { Clock } from '@fairway/core';
import type { Reference, ReferenceStore, Writer } from '../ports.ts';

export type References = (model: string, version: string) => Promise<Reference | undefined>;

/** A version that the writer does not know yet is asked for again after this long. */
const UNKNOWN_FOR_MS = 10_000;

/**
 * Baseline and signature of a model version: from memory, else from the database, else from the writer, who is asked once
 * per version for good. undefined: never deployed (or no version was learned). The writer being down throws a retryable error.
 */
export function cachedReferences(store: ReferenceStore, writer: Pick<Writer, 'reference'>, clock: Clock): References {
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
    if (reference === undefined) unknownUntil.set(key, clock.now() + UNKNOWN_FOR_MS);
    else known.set(key, reference);
    return reference;
  };
}
