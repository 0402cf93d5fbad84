import { describe, expect, test } from 'vitest';
import { entryPath, isJunk } from './path.ts';
import { pathTree } from './tree.ts';

const pathOf = (name: string | Buffer) => entryPath(Buffer.from(name as string), 400);

describe('a path inside an archive', () => {
  test.each([
    ['saved_model.pb', 'saved_model.pb', false],
    ['./saved_model.pb', 'saved_model.pb', false],
    ['./', '', true],
    ['variables/', 'variables', true],
    ['a/..b/c...', 'a/..b/c...', false],
    ['größe/模型.txt', 'größe/模型.txt', false],
    ['a b/-rf', 'a b/-rf', false],
  ])('%j is %j', (name, path, folder) => {
    expect(pathOf(name)).toEqual({ path, folder });
  });

  test.each([
    ['/etc/passwd', 'absolute'],
    ['//host/share', 'absolute'],
    ['C:/windows', 'drive letter'],
    ['c:boot.ini', 'drive letter'],
    ['../x', '".."'],
    ['a/../../x', '".."'],
    ['a/..', '".."'],
    ['..', '".."'],
    ['./../x', '".."'],
    ['..\\x', 'backslash'],
    ['a\\b', 'backslash'],
    ['a\0b', 'control'],
    ['a\nb', 'control'],
    ['a\u{202e}bp.exe', 'invisible'],
    ['a\u{200b}', 'invisible'],
    ['\u{feff}saved_model.pb', 'invisible'],
    ['a//b', 'empty part'],
    ['a/./b', 'empty part'],
    ['././a', 'empty part'],
    ['', 'empty part'],
    ['.', 'empty part'],
    ['a//', 'empty part'],
    ['x'.repeat(256), '255 bytes'],
    [`${'x'.repeat(200)}/${'x'.repeat(200)}`, '400'],
    [`${'x/'.repeat(300)}x`, '400'],
    [Buffer.from([0x61, 0xff]), 'UTF-8'],
    [Buffer.from('modèle', 'latin1'), 'UTF-8'],
    // An overlong ".", and a lone surrogate: readers that take them for text differ.
    [Buffer.from([0xc0, 0xae, 0xc0, 0xae, 0x2f, 0x78]), 'UTF-8'],
    [Buffer.from([0xed, 0xa0, 0x80]), 'UTF-8'],
  ])('%j is refused', (name, why) => {
    expect(pathOf(name)).toEqual({ wrong: expect.stringContaining(why) });
  });

  test('knows what macOS adds', () => {
    expect(['__MACOSX/a', 'a/.DS_Store', 'a/._b', '__MACOSX'].map(isJunk)).toEqual([true, true, true, true]);
    expect(['a/b', '.hidden', '_MACOSX', 'x._y', 'DS_Store'].map(isJunk)).toEqual([false, false, false, false, false]);
  });
});

describe('the paths of one archive', () => {
  const adding = (...paths: readonly string[]) => {
    const tree = pathTree();
    return paths.map((path) => tree.add(path.replace(/\/$/, ''), path.endsWith('/'))).at(-1);
  };

  test('folders are made once, outermost first', () => {
    const tree = pathTree();
    expect(tree.add('a/b/c', false)).toEqual({ folders: ['a', 'a/b'] });
    expect(tree.add('a/b', true)).toEqual({ folders: [] });
    expect(tree.add('a/d', true)).toEqual({ folders: ['a/d'] });
    expect(tree.add('', true)).toEqual({ folders: [] });
    expect(tree.size()).toBe(4);
  });

  test.each([
    [['a', 'a'], 'twice'],
    [['a', 'a/'], 'both a file and a folder'],
    [['a/b', 'a'], 'both a file and a folder'],
    [['a', 'a/b'], 'both a file and a folder'],
    [['a', 'A'], 'only by case'],
    [['a/x', 'A/y'], 'only by case'],
    [['a/b/x', 'a/B/y'], 'only by case'],
    [['a/', 'A'], 'only by case'],
    [['\u{e9}', 'e\u{301}'], 'composed'],
    [['\u{212b}', '\u{c5}'], 'composed'],
    [['stra\u{df}e', 'STRASSE'], 'only by case'],
    [['\u{3c3}', '\u{3c2}'], 'only by case'],
    [['K', '\u{212a}'], 'only by case'],
    [['\u{390}', '\u{3aa}\u{301}'], 'only by case'],
  ])('%j clash', (paths, why) => {
    expect(adding(...paths)).toEqual({ wrong: expect.stringContaining(why) });
  });
});
