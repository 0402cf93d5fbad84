import { describe, expect, it } from 'vitest';
import { appendItem } from './append.ts';
import { readPlain } from './plain.ts';
import { removeEntry } from './remove.ts';
import { setScalar } from './set.ts';

const file = (text: string) => ({ path: 'models/m/model.yaml', text });
const model = `# people edit this file
name:   m   # two spaces too many
environments:
  # the first one
  - { name: dev, namespace: m-dev,   merge: auto } # by itself
  # the second one
  - name: "prod"
    namespace: m-prod
    merge: 'review'
owner: a
`;

describe('an edit', () => {
  it('sets a scalar in the quotes it had', () => {
    const after = setScalar(file(model), { path: ['environments', 1, 'merge'] }, 'auto');
    expect(after).toBe(model.replace("'review'", "'auto'"));
    expect(setScalar(file(model), { path: ['name'] }, 'it: # is')).toContain('name:   "it: # is"   # two');
  });

  it('removes an item with the comment on its lines, and no other', () => {
    const lines = model.split('\n');
    expect(removeEntry(file(model), { path: ['environments', 0] })).toBe(lines.toSpliced(4, 1).join('\n'));
    expect(removeEntry(file(model), { path: ['environments', 1] })).toBe(lines.toSpliced(6, 3).join('\n'));
    expect(removeEntry(file(model), { path: ['environments', 1, 'name'] })).toContain('- namespace: m-prod\n');
  });

  it('leaves an empty list where the last item goes', () => {
    const once = removeEntry(file(model), { path: ['environments', 1] });
    expect(removeEntry(file(once), { path: ['environments', 0] })).toContain(
      'environments: []\n  # the first one\n  # the second one\nowner: a\n',
    );
  });

  it('appends an item as the one before it is written', () => {
    expect(appendItem(file('a:\r\n- { x: 1 } # one'), { path: ['a'] }, { x: 2, y: 'b c' })).toBe(
      'a:\r\n- { x: 1 } # one\r\n- { x: 2, y: b c }',
    );
    expect(appendItem(file('a:\n    - x: 1\n# end\n'), { path: ['a'] }, { x: 2, y: '3' })).toBe(
      'a:\n    - x: 1\n    - x: 2\n      y: "3"\n# end\n',
    );
    expect(appendItem(file('a: # none yet\nb: 1\n'), { path: ['a'] }, { x: 2 })).toBe(
      'a: # none yet\n  - x: 2\nb: 1\n',
    );
    expect(appendItem(file('a: [ b, c ]'), { path: ['a'] }, 'd')).toBe('a: [ b, c, d ]');
    expect(appendItem(file('a: []\n'), { path: ['a'] }, 'd')).toBe('a: [d]\n');
  });

  it('touches only the document it is told', () => {
    expect(setScalar(file('a: 1\n---\na: 1\n'), { path: ['a'], document: 1 }, 2)).toBe('a: 1\n---\na: 2\n');
  });

  it.each([
    ['an anchor in what it edits', 'a: &x 1\nb: *x\n', ['a'], 'anchors and aliases are not allowed'],
    ['an alias', 'a: &x 1\nb: *x\n', ['b'], 'anchors and aliases are not allowed'],
    ['an anchor above it', 'c: &x { a: 1 }\nb: *x\n', ['c', 'a'], 'anchors and aliases are not allowed'],
    ['a tag', 'a: !!str 1\n', ['a'], 'tags are not allowed, and it has !!str'],
    ['a merge key', 'x: { a: 1 }\nb: { <<: { c: 1 }, a: 2 }\n', ['b', 'a'], 'merge keys (<<) are not allowed'],
    ['a key that is there twice', 'a: 1\na: 2\n', ['a'], 'Map keys must be unique'],
    ['a block of text', 'a: |\n  x\n', ['a'], 'a is a block of text'],
    ['a list', 'a: [1]\n', ['a'], 'a is not a single value'],
    ['a place that is not there', 'a: 1\n', ['b', 0], 'it has no b'],
    ['broken YAML', 'a: [\n', ['a'], 'it is not usable YAML'],
    ['an explicit key', '? a\n', ['a'], 'has no value to replace'],
  ])('is refused at %s, and says what to do by hand', (_, text, path, why) => {
    const edit = () => setScalar(file(text), { path }, 'x');
    expect(edit).toThrow(why);
    expect(edit).toThrow(
      /^models\/m\/model\.yaml cannot be edited without a risk, because .*; set .* to "x" by hand\.$/,
    );
  });

  it('is refused when a comment would go that may belong to something else', () => {
    const two = file('- a: 1\n  # about b\n  b: 2\n');
    expect(() => removeEntry(two, { path: [0, 'a'] })).toThrow('a comment stands between it and what follows');
    expect(() => appendItem(file('a: 1\n'), { path: ['a'] }, 'x')).toThrow('a is not a list');
    expect(() => removeEntry(file('a: 1\n'), { path: [] })).toThrow('a whole document cannot be removed');
  });
});

describe('plain YAML', () => {
  it.each([
    ['an anchor nobody uses', 'a: &x 1\n', 'anchors and aliases'],
    ['a tag', 'a: !secret x\n', 'it has !secret'],
    ['a merge key', '<<: { a: 1 }\n', 'merge keys'],
    ['two documents', 'a: 1\n---\nb: 2\n', 'more than one YAML document'],
  ])('has no place for %s', (_, text, problem) => {
    expect(readPlain(text)).toEqual({ problems: [expect.stringContaining(problem)] });
  });
  it('is a value', () => {
    expect(readPlain('a: [1]\n')).toEqual({ value: { a: [1] } });
    expect(readPlain('')).toEqual({ value: null });
  });
});
