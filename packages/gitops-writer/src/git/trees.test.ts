import { expect, it } from 'vitest';
import { objectId } from './objects.ts';
import type { ObjectReader, ObjectType } from './reader.ts';
import { gitTrees } from './trees.ts';

const COMMIT = 'c'.repeat(40);

/** A commit with these files at its root; `asked` has the id of each object whose bytes were asked for. */
function repositoryOf(files: Readonly<Record<string, string>>) {
  const objects = new Map<string, { type: ObjectType; bytes: Buffer }>();
  const put = (type: ObjectType, bytes: Buffer): string => {
    const id = objectId('sha1', type, bytes);
    objects.set(id, { type, bytes });
    return id;
  };
  const entries = Object.entries(files).map(([name, text]) =>
    Buffer.concat([Buffer.from(`100644 ${name}\0`), Buffer.from(put('blob', Buffer.from(text)), 'hex')]),
  );
  const root = put('tree', Buffer.concat(entries));
  const asked: string[] = [];
  const reader: ObjectReader = {
    info: () => Promise.resolve({ id: root, type: 'tree', size: 0 }),
    contents: (id) => {
      asked.push(id);
      const found = objects.get(id);
      return Promise.resolve(found && { ...found, id, size: found.bytes.length });
    },
    renew: () => {},
    close: () => Promise.resolve(),
  };
  return { trees: gitTrees(reader), asked, idOf: (text: string) => objectId('sha1', 'blob', Buffer.from(text)) };
}

it('asks git once for a small file that is read again and again, and each time for a large one', async () => {
  const [small, large] = ['a: 1\n', 'x'.repeat(20_000)];
  const { trees, asked, idOf } = repositoryOf({ large, small });
  for (let i = 0; i < 3; i++) {
    expect((await trees.text(COMMIT, 'small'))?.text).toBe(small);
    expect((await trees.text(COMMIT, 'large'))?.text).toBe(large);
  }
  expect(asked.filter((id) => id === idOf(small))).toHaveLength(1);
  expect(asked.filter((id) => id === idOf(large))).toHaveLength(3);
});

it('forgets the files that nobody has asked for the longest', async () => {
  const texts = Array.from({ length: 120 }, (_, i) => `${i} `.padEnd(10_000, '.'));
  const { trees, asked, idOf } = repositoryOf(Object.fromEntries(texts.map((text, i) => [`f${i}`, text])));
  for (const i of [...texts.keys(), 119, 0]) expect((await trees.text(COMMIT, `f${i}`))?.text).toBe(texts[i]);
  expect(asked.filter((id) => id === idOf(texts[119] ?? ''))).toHaveLength(1);
  expect(asked.filter((id) => id === idOf(texts[0] ?? ''))).toHaveLength(2);
});
