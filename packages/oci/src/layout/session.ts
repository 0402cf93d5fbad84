import type { Descriptor } from '../store.ts';
import { drop, type Half, keep } from './halves.ts';

/**
 * What is written together: blobs that are synced at its end, all at the same time, because one after the other each waits for a
 * journal of its own; and what the index is to list then.
 */
export type Session = {
  readonly halves: Map<string, Half>;
  readonly listed: Descriptor[];
  /** Digests of blobs that were found or written meanwhile. */
  readonly there: Set<string>;
  /** It failed: what is still being written is not kept. */
  over: boolean;
};

export const newSession = (): Session => ({ halves: new Map(), listed: [], there: new Set(), over: false });

/** Keeps all blobs; the first failure is thrown when each is kept or dropped. */
export async function keepAll({ halves }: Session, pathOf: (digest: string) => string): Promise<void> {
  const kept = [...halves].map(([digest, half]) => keep(half, pathOf(digest)));
  const failed = (await Promise.allSettled(kept)).find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

export async function dropAll(session: Session): Promise<void> {
  session.over = true;
  await Promise.all([...session.halves.values()].map(drop));
}
