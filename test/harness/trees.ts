import fc from 'fast-check';
import type { FileTree } from './archives.ts';

const name = fc.oneof(
  fc.constantFrom('a', 'b', 'variables', 'größe', '模型', 'a b', '-rf', '.hidden', 'x'.repeat(90), 'é'.repeat(40)),
  fc.stringMatching(/^[a-z0-9_-]{1,12}$/),
);
const content = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc.uint8Array({ maxLength: 3000 }),
  fc.nat({ max: 200_000 }).map((length) => Buffer.alloc(length, 'weights')),
);

/** Trees of files and empty folders, none of whose names clash. */
export const anyTree: fc.Arbitrary<FileTree> = fc
  .array(fc.tuple(fc.array(name, { minLength: 1, maxLength: 4 }), fc.option(content, { freq: 6 })), { maxLength: 12 })
  .map((entries) => {
    const files: Record<string, Uint8Array> = {};
    const folders = new Set<string>();
    for (const [names, data] of entries) {
      const path = names.join('/');
      const parents = names.slice(0, -1).map((_, depth) => names.slice(0, depth + 1).join('/'));
      if (folders.has(path) || path in files || parents.some((parent) => parent in files)) continue;
      for (const parent of parents) folders.add(parent);
      if (data === null) folders.add(path);
      else files[path] = data;
    }
    const isEmpty = (folder: string) =>
      ![...Object.keys(files), ...folders].some((path) => path.startsWith(`${folder}/`));
    const empty = [...folders].filter(isEmpty).map((folder) => [`${folder}/`, ''] as const);
    return { ...files, ...Object.fromEntries(empty) };
  });
