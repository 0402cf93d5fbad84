import { expect, it } from 'vitest';
import type { Reference } from '../ports.ts';
import { cachedReferences } from './references.ts';

/** A store and a writer that count what they are asked. */
function world(committed: (model: string) => boolean) {
  const asked = { store: [] as string[], writer: [] as string[] };
  const rows = new Map<string, Reference>();
  const clock = { time: 0, now: () => clock.time };
  const store = {
    reference: async (model: string, version: string) => {
      asked.store.push(model);
      return rows.get(`${model}/${version}`);
    },
    keepReference: async (reference: Reference) => {
      const { model, version } = reference.modelVersion;
      rows.set(`${model}/${version}`, reference);
    },
  };
  const writer = {
    reference: async (model: string, version: string) => {
      asked.writer.push(model);
      return committed(model) ? ({ modelVersion: { model, version } } as Reference) : undefined;
    },
  };
  return { asked, clock, references: cachedReferences(store, writer, clock, 3) };
}

it('asks the writer once for good, and the database again only for what was not asked for lately', async () => {
  const { asked, references } = world(() => true);
  for (const model of ['a', 'b', 'c', 'a', 'd', 'a', 'c']) await references(model, '1');
  expect(asked.writer).toEqual(['a', 'b', 'c', 'd']);
  expect(asked.store).toEqual(['a', 'b', 'c', 'd']);
  expect((await references('b', '1'))?.modelVersion.model).toBe('b');
  expect(asked.store).toEqual(['a', 'b', 'c', 'd', 'b']);
  expect(asked.writer).toHaveLength(4);
});

it('lets a version that nobody knows rest for ten seconds, and takes it as soon as it is there', async () => {
  let there = false;
  const { asked, clock, references } = world(() => there);
  expect(await references('a', '1')).toBeUndefined();
  there = true;
  clock.time = 9_999;
  expect(await references('a', '1')).toBeUndefined();
  expect(asked.writer).toHaveLength(1);
  clock.time = 10_000;
  expect((await references('a', '1'))?.modelVersion.model).toBe('a');
  expect(await references('a', '')).toBeUndefined();
});
