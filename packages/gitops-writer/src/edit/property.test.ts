import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { appendItem } from './append.ts';
import { removeEntry } from './remove.ts';
import { setScalar } from './set.ts';

/** A document as somebody may have written it: what it says, and how each part is written. */
type Written =
  | { readonly kind: 'scalar'; readonly value: string | number | boolean | null; readonly quotes: '' | "'" | '"' }
  | { readonly kind: 'list'; readonly flow: boolean; readonly items: readonly Part[] }
  | { readonly kind: 'map'; readonly flow: boolean; readonly items: readonly Part[] };
type Part = {
  readonly key: string;
  readonly node: Written;
  /** Comment lines before it, a comment behind it, an empty line before it. */
  readonly above: boolean;
  readonly beside: boolean;
  readonly gap: boolean;
};

const word = fc.constantFrom(
  'a',
  'prod',
  'x-1',
  'sha256:0a',
  'yes',
  'null',
  '12',
  'a b',
  'it # is',
  "o'clock",
  'é',
  '',
);
const scalar = fc.record({
  kind: fc.constant('scalar' as const),
  value: fc.oneof(word, fc.integer({ min: -5, max: 50 }), fc.boolean(), fc.constant(null)),
  quotes: fc.constantFrom('' as const, "'" as const, '"' as const),
});
const tree = fc.letrec<{ node: Written; part: Part }>((tie) => ({
  part: fc.record({
    key: fc.constantFrom('name', 'env', 'k1', 'k2', 'merge', 'a b', 'on'),
    node: tie('node'),
    above: fc.boolean(),
    beside: fc.boolean(),
    gap: fc.boolean(),
  }),
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    fc.record({
      kind: fc.constant('list' as const),
      flow: fc.boolean(),
      items: fc.array(tie('part'), { maxLength: 4 }),
    }),
    fc.record({
      kind: fc.constant('map' as const),
      flow: fc.boolean(),
      items: fc.uniqueArray(tie('part'), { maxLength: 4, selector: ({ key }) => key }),
    }),
  ),
}));
const file = fc.record({
  documents: fc.array(tree.node, { minLength: 1, maxLength: 2 }),
  crlf: fc.boolean(),
  bom: fc.boolean(),
  lastLineEnd: fc.boolean(),
});

const inline = (node: Written): string => {
  if (node.kind === 'list') return `[${node.items.map((part) => inline(part.node)).join(', ')}]`;
  if (node.kind === 'map') return `{ ${node.items.map((part) => `${part.key}: ${inline(part.node)}`).join(' , ')} }`;
  const { value, quotes } = node;
  if (typeof value !== 'string') return value === null && quotes === '' ? 'null' : String(value);
  return quotes === "'" ? `'${value.replaceAll("'", "''")}'` : JSON.stringify(value);
};

/** Lines of a node; `first` stands before its first line. */
function lines(node: Written, indent: string, first: string): string[] {
  if (node.kind === 'scalar') {
    const nothing = node.value === null && node.quotes === "'";
    return [`${first}${nothing ? '' : inline(node)}`];
  }
  if (node.items.length === 0 || node.flow) return flowLines(node, indent, first);
  const own = node.items.flatMap((part, at) => {
    const lead = node.kind === 'list' ? '- ' : `${part.key}:`;
    const block = part.node.kind !== 'scalar' && !part.node.flow && part.node.items.length > 0;
    const behind = part.beside ? ' # beside' : '';
    const within =
      block && node.kind === 'list' && !part.above
        ? lines(part.node, `${indent}  `, '').map((line, row) => (row === 0 ? `${lead}${line.trimStart()}` : line))
        : block
          ? [`${lead.trimEnd()}${behind}`, ...lines(part.node, `${indent}  `, '')]
          : lines(part.node, indent, node.kind === 'list' ? lead : `${lead} `);
    const [head = '', ...rest] = within;
    const written = head.startsWith(indent) && block && node.kind === 'list' && !part.above ? head.trimStart() : head;
    const line = `${indent}${written}${!block && rest.length === 0 ? behind : ''}`;
    const before =
      at > 0 || indent === '' ? [...(part.gap ? [''] : []), ...(part.above ? [`${indent}# above`] : [])] : [];
    return [...before, line, ...rest];
  });
  return first === '' ? own : [first.trimEnd(), ...own];
}

/** Every second list in brackets is spread over lines. */
function flowLines(node: Exclude<Written, { kind: 'scalar' }>, indent: string, first: string): string[] {
  if (node.kind === 'map' || node.items.length < 2 || node.items[0]?.gap === false) return [`${first}${inline(node)}`];
  const last = node.items.length - 1;
  const items = node.items.map(
    (part, at) =>
      `${indent}    ${inline(part.node)}${at < last || part.gap ? ',' : ''}${part.beside ? ' # beside' : ''}`,
  );
  return [`${first}[`, ...items, `${indent}  ]`];
}

function print({ documents, crlf, bom, lastLineEnd }: typeof file extends fc.Arbitrary<infer T> ? T : never): string {
  const text = documents.map((node) => lines(node, '', '').join('\n')).join('\n---\n');
  const ended = lastLineEnd ? `${text}\n` : text;
  // The parser takes a byte order mark before a list in block style for a column of it.
  const [root] = documents;
  const marked = bom && root?.kind === 'map';
  return `${marked ? '\uFEFF' : ''}${crlf ? ended.replaceAll('\n', '\r\n') : ended}`;
}

type Path = ReadonlyArray<string | number>;
type Spot = { readonly path: Path; readonly document: number; readonly value: unknown };

/** Every place of a file, with what is there. */
function spots(text: string): Spot[] {
  return values(text).flatMap((value, document) => within(value, [], document));
}
function within(value: unknown, path: Path, document: number): Spot[] {
  const own = { path, document, value };
  if (Array.isArray(value)) return [own, ...value.flatMap((item, at) => within(item, [...path, at], document))];
  if (value === null || typeof value !== 'object') return [own];
  return [own, ...Object.entries(value).flatMap(([key, item]) => within(item, [...path, key], document))];
}
const values = (text: string): unknown[] =>
  parseAllDocuments(text).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as unknown;
  });

const at = (value: unknown, path: Path): unknown =>
  path.reduce((inner, step) => (inner as Record<string | number, unknown>)[step], value);
function edited(text: string, spot: Spot, edit: (value: unknown) => void): unknown[] {
  const all = structuredClone(values(text));
  edit(at(all[spot.document], spot.path.slice(0, -1)));
  return all;
}

/** Whether `inner` is `outer` with characters left out. */
function isWithin(inner: string, outer: string): boolean {
  let next = 0;
  for (const character of outer) if (character === inner.charAt(next)) next += 1;
  return next === inner.length;
}

/** A comment has no owner that could be told: such an edit may be refused. */
const orRefused = (edit: () => string): string | undefined => {
  try {
    return edit();
  } catch (error) {
    if (/a comment stands between/.test((error as Error).message)) return undefined;
    throw error;
  }
};
const pick = (all: readonly Spot[], seed: number): Spot | undefined => all[seed % Math.max(1, all.length)];
const runs = { numRuns: 100 };

it('sets one scalar and leaves every other byte', () => {
  fc.assert(
    fc.property(file, fc.nat(), fc.oneof(word, fc.integer(), fc.boolean()), (written, seed, next) => {
      const text = print(written);
      const spot = pick(
        spots(text).filter(({ path, value }) => path.length > 0 && (value === null || typeof value !== 'object')),
        seed,
      );
      if (spot === undefined) return;
      const after = setScalar({ path: 'f.yaml', text }, spot, next);
      const wanted = edited(text, spot, (parent) => {
        (parent as Record<string | number, unknown>)[spot.path.at(-1) ?? ''] = next;
      });
      expect(values(after)).toEqual(wanted);
      let head = 0;
      while (head < text.length && text[head] === after[head]) head += 1;
      let tail = 0;
      while (tail < text.length - head && tail < after.length - head && text.at(-1 - tail) === after.at(-1 - tail))
        tail += 1;
      // What differs is at most the old scalar: one line, no comment.
      const gone = text.slice(head, text.length - tail);
      expect(gone).not.toMatch(/\n|# (above|beside)/);
      expect(after.slice(head, after.length - tail)).not.toContain('\n');
    }),
    runs,
  );
});

it('appends an item and leaves every byte', () => {
  const item = fc.oneof(word, fc.record({ version: word, digest: fc.constant('sha256:00'), reason: fc.string() }));
  fc.assert(
    fc.property(file, fc.nat(), item, (written, seed, next) => {
      const text = print(written);
      const lists = spots(text).filter(({ value }) => Array.isArray(value));
      const spot = pick(lists, seed);
      if (spot === undefined) return;
      const after = appendItem({ path: 'f.yaml', text }, spot, next);
      const all = structuredClone(values(text));
      (at(all[spot.document], spot.path) as unknown[]).push(next);
      expect(values(after)).toEqual(all);
      expect(isWithin(text, after)).toBe(true);
      expect(after.endsWith('\n')).toBe(text.endsWith('\n'));
      const bare = (of: string) => /(?<!\r)\n/.test(of);
      if (text.includes('\n')) expect(bare(after)).toBe(bare(text));
    }),
    runs,
  );
});

it('removes an entry and leaves every other byte', () => {
  fc.assert(
    fc.property(file, fc.nat(), (written, seed) => {
      const text = print(written);
      const spot = pick(
        spots(text).filter(({ path }) => path.length > 0),
        seed,
      );
      if (spot === undefined) return;
      const after = orRefused(() => removeEntry({ path: 'f.yaml', text }, spot));
      if (after === undefined) return;
      const step = spot.path.at(-1) ?? '';
      const wanted = edited(text, spot, (parent) => {
        if (Array.isArray(parent)) parent.splice(step as number, 1);
        else delete (parent as Record<string, unknown>)[step];
      });
      expect(values(after)).toEqual(wanted);
      // Nothing is new but the brackets of a collection that lost its last entry.
      const brackets = [...after.matchAll(/ ?(?:\[\]|\{\})/g)];
      const left = brackets.map(({ 0: { length }, index }) => after.slice(0, index) + after.slice(index + length));
      expect([after, ...left].some((rest) => isWithin(rest, text))).toBe(true);
      const above = (of: string) => of.split('# above').length;
      const inside = JSON.stringify(spot.value ?? '').length;
      // Comments above the entry stay; only those between its own lines go.
      if (inside < 30 && (spot.value === null || typeof spot.value !== 'object'))
        expect(above(after)).toBe(above(text));
    }),
    runs,
  );
});
