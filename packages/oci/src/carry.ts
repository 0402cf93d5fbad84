import { gate } from '@fairway/core';
import type { Base } from './base.ts';
import type { Descriptor, ImageStore } from './store.ts';

const AT_ONCE = 4;

/** Sees to it that the layers of the base, which is in `from`, are in `to`: there already, mounted, or as the last resort copied as a stream. */
export async function carryLayers(store: ImageStore, base: Base, to: string, from = store): Promise<void> {
  const layers = new Map<string, Descriptor>();
  for (const { manifest } of base.images) for (const layer of manifest.layers) layers.set(layer.digest, layer);
  const turns = gate(AT_ONCE);
  const carried = [...layers.keys()].map((digest) =>
    turns(() => carry(store, { store: from, name: base.name }, to, digest)),
  );
  // The first failure is the answer; what is on its way is let end, so that nothing moves behind our back.
  const ended = await Promise.allSettled(carried);
  const failed = ended.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

type Source = { readonly store: ImageStore; readonly name: string };

async function carry(store: ImageStore, from: Source, to: string, digest: string): Promise<void> {
  if (await store.has(to, digest)) return;
  if (from.store === store && (await store.mount(digest, { from: from.name, to }))) return;
  await store.add(to, { open: () => from.store.read(from.name, digest), digest });
}
