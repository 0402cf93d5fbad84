import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { unpack } from '@fairway/archive';
import { gnuLongName, paxOf, type TarEntry, tarOf } from '../../harness/archives.ts';
import { asTree, type Box, openBox, treeIn } from './box.ts';

let box: Box;
beforeEach(() => {
  box = openBox();
});
afterEach(() => box.close());

const MODEL: TarEntry = { name: 'saved_model.pb', data: 'model' };
const LINK = { type: '2', link: '/etc' };

describe('entries that are refused by name', () => {
  const CASES: readonly (readonly [what: string, entries: readonly TarEntry[], sentence: RegExp])[] = [
    ['climbs', [{ name: '../evil' }], /"\.\.\/evil" of model\.bin climbs out/],
    ['absolute', [{ name: '/tmp/evil' }], /absolute path/],
    ['climbs by pax', [paxOf({ path: 'a/../../evil' }), { name: 'fine' }], /climbs out/],
    ["climbs by GNU's long name", [gnuLongName('../evil'), { name: 'fine' }], /climbs out/],
    ['backslash', [{ name: '..\\evil' }], /backslash/],
    ['control characters', [paxOf({ path: 'a\u{7}b' }), { name: 'fine' }], /control/],
    ['NUL by pax', [paxOf({ path: 'a\0b' }), { name: 'fine' }], /control/],
    ['not UTF-8', [{ name: Buffer.from([0x61, 0xe9]) }], /not UTF-8/],
    ['symbolic link', [{ name: 'link', ...LINK }], /symbolic link/],
    [
      'a file through a link',
      [
        { name: 'etc', ...LINK },
        { name: 'etc/passwd', data: 'x' },
      ],
      /symbolic link/,
    ],
    ['hard link', [{ name: 'link', type: '1', link: 'saved_model.pb' }], /hard link/],
    ['character device', [{ name: 'd', type: '3' }], /a device/],
    ['block device', [{ name: 'd', type: '4' }], /a device/],
    ['pipe', [{ name: 'd', type: '6' }], /a pipe/],
    ['sparse', [{ name: 's', type: 'S' }], /sparse/],
    ['sparse by pax', [paxOf({ 'GNU.sparse.major': '1' }), { name: 's' }], /sparse/],
    ['unknown type', [{ name: 's', type: 'Z' }], /unknown type/],
    ['part of several', [{ name: 's', type: 'M' }], /unknown type/],
    ['folder with bytes', [{ name: 'd', type: '5', data: 'x' }], /folder that has bytes/],
    ['twice', [MODEL], /is there twice/],
    ['case', [{ name: 'SAVED_MODEL.PB' }], /only by case/],
    ['file and folder', [{ name: 'saved_model.pb/x' }], /both a file and a folder/],
    ['composed otherwise', [{ name: 'e\u{301}' }, { name: '\u{e9}' }], /composed/],
  ];

  test.each(CASES)('%s', async (_, entries, sentence) => {
    const tar = tarOf([MODEL, ...entries]);
    expect(await box.refused(tar)).toMatch(sentence);
    expect(await box.refused(gzipSync(tar))).toMatch(sentence);
  });
});

describe('tars that are damaged or say two things', () => {
  const CASES: readonly (readonly [what: string, tar: Buffer, sentence: RegExp])[] = [
    ['no end', tarOf([MODEL], { end: 0 }), /empty blocks that a tar ends with/],
    ['bytes behind the end', Buffer.concat([tarOf([MODEL]), Buffer.from('hidden')]), /other bytes after its end/],
    ['another tar behind the end', Buffer.concat([tarOf([MODEL]), tarOf([{ name: 'b' }])]), /other bytes after/],
    ['a wrong checksum', tarOf([MODEL, { name: 'b', checksum: '000000\0 ' }]), /checksum is wrong/],
    ['no checksum', tarOf([MODEL, { name: 'b', checksum: 'zzzzzz\0 ' }]), /checksum is wrong/],
    ['no magic', tarOf([MODEL, { name: 'b', magic: '\0'.repeat(8) }]), /no tar header/],
    ['a size that is no number', tarOf([MODEL, { name: 'b', size: '9z' }]), /size is no number/],
    ['a negative size', tarOf([MODEL, { name: 'b', size: '\xff'.repeat(12) }]), /size is no number/],
    ['a size beyond numbers', tarOf([MODEL, { name: 'b', size: `\x80${'\xff'.repeat(11)}` }]), /size is no number/],
    ['a size beyond the limit', tarOf([MODEL, { name: 'b', size: 2 ** 40 }]), /more than the \d+ bytes/],
    ['a size beyond the file', tarOf([MODEL, { name: 'b', size: 100_000 }]), /"b".*is cut off inside/],
    ['a pax size that is no number', tarOf([paxOf({ size: '-1' }), MODEL]), /size is no number/],
    ['a pax size beyond the file', tarOf([paxOf({ size: '100000' }), MODEL]), /is cut off inside/],
    ['a pax header that is damaged', tarOf([{ name: 'p', type: 'x', data: '99 path=x\n' }, MODEL]), /damaged pax/],
    ['a pax header for nothing', tarOf([MODEL, paxOf({ path: 'x' })]), /belongs to no entry/],
    ['one name for all', tarOf([paxOf({ path: 'x' }, 'g'), MODEL]), /one name or size for all/],
    ['a huge header', tarOf([{ name: 'p', type: 'x', data: Buffer.alloc(2 ** 21) }, MODEL]), /header of 2097152 bytes/],
    ['a header that ends early', tarOf([MODEL, { name: 'p', type: 'x', size: 5000 }]), /cut off inside of a header/],
  ];

  test.each(CASES)('%s', async (_, tar, sentence) => {
    expect(await box.refused(tar)).toMatch(sentence);
    expect(await box.refused(gzipSync(tar))).toMatch(sentence);
  });

  test('one that is cut at any block', async () => {
    const whole = tarOf([MODEL, paxOf({ path: 'b' }), { name: 'c', data: Buffer.alloc(1000, 1) }], { end: 0 });
    for (let length = 512; length <= whole.length; length += 256)
      expect(await box.refused(whole.subarray(0, length))).toMatch(/is cut off/);
  });

  test("a gzip'd one that is cut, damaged, or goes on", async () => {
    const gz = gzipSync(tarOf([MODEL, { name: 'noise', data: noise(50_000) }]));
    expect(await box.refused(gz.subarray(0, gz.length - 9))).toMatch(/is damaged|is cut off/);
    expect(await box.refused(gz.subarray(0, 20_000))).toMatch(/is damaged|is cut off/);
    const damaged = Buffer.from(gz);
    damaged.writeUInt32LE(1, gz.length - 8);
    expect(await box.refused(damaged)).toMatch(/is damaged \(incorrect data check\)/);
    const small = gzipSync(tarOf([MODEL]));
    small.writeUInt32LE(1, small.length - 8);
    expect(await box.refused(small)).toMatch(/is damaged \(incorrect data check\)/);
    expect(await box.refused(Buffer.concat([gz, Buffer.from('hidden')]))).toMatch(/is damaged|other bytes/);
    expect(await box.refused(Buffer.concat([gz, Buffer.alloc(512), Buffer.from('hidden')]))).toMatch(/other bytes/);
  });

  test('bombs', async () => {
    const zeros = tarOf([MODEL, { name: 'zeros', data: Buffer.alloc(20_000_000) }]);
    expect(await box.refused(gzipSync(zeros))).toMatch(/more than 200 times/);
    expect(await box.refused(gzipSync(Buffer.concat([tarOf([MODEL]), Buffer.alloc(20_000_000)])))).toMatch(/200 times/);
    const headers = tarOf([...Array.from({ length: 40 }, () => paxOf({ comment: 'x'.repeat(900_000) })), MODEL]);
    expect(await box.refused(gzipSync(headers))).toMatch(/200 times/);
    const many = tarOf(Array.from({ length: 30 }, (_, i) => ({ name: `f${i}` })));
    expect(await box.refused(many, { entries: 20 })).toMatch(/more than the 20 files/);
  });
});

describe('files that are no archive', () => {
  test.each([
    ['', 'is empty'],
    ['PK', "neither zip, tar nor gzip'd tar"],
    ['<!DOCTYPE html><title>Sign in</title>', 'a web page'],
    ['7z\xbc\xaf\x27\x1c\0\x04', '7-Zip'],
    ['Rar!\x1a\x07\x01\0', 'RAR'],
    ['\xfd7zXZ\0', 'xz compressed'],
    ['\x89HDF\r\n\x1a\n', 'Keras weights'],
  ])('%j', async (text, sentence) => {
    expect(await box.refused(Buffer.from(text, 'latin1'))).toContain(sentence);
  });

  test("something else that is gzip'd", async () => {
    expect(await box.refused(gzipSync('a,b\n1,2\n'))).toContain('no whole tar');
  });

  test('no file, a folder, a pipe', async () => {
    await expect(unpack(join(box.dir, 'missing.zip'), box.scratch)).rejects.toThrow('missing.zip does not exist');
    await expect(unpack(box.dir, box.scratch)).rejects.toThrow('is no file');
    const pipe = join(box.dir, 'pipe');
    if (spawnSync('mkfifo', [pipe]).status === 0)
      await expect(unpack(pipe, box.scratch)).rejects.toThrow('pipe is no file');
  });
});

test.each([
  ['POSIX', '--format=pax'],
  ['ustar', '--format=ustar'],
  ['GNU', '--format=gnu'],
  ["gzip'd", '-z'],
])('what tar itself packs comes out: %s', async (_, option) => {
  const folder = join(box.dir, 'model');
  const long = join('variables', 'x'.repeat(80), 'y'.repeat(60));
  mkdirSync(join(folder, long), { recursive: true });
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'saved_model.pb'), 'model');
  writeFileSync(join(folder, long, 'größe.txt'), noise(100_000));
  const file = join(box.dir, 'model.tar');
  const made = spawnSync('tar', ['-c', option, '-f', file, '-C', folder, '.']);
  expect(String(made.stderr)).toBe('');
  const unpacked = await unpack(file, box.scratch);
  expect(treeIn(unpacked.folder)).toEqual(
    asTree({ 'saved_model.pb': 'model', [join(long, 'größe.txt')]: noise(100_000), 'assets/': '' }),
  );
  await unpacked.dispose();
});

test("gzip'd in many members, as bgzip and concatenation make them", async () => {
  const tar = tarOf([MODEL, { name: 'noise', data: noise(700_000) }]);
  const members: Buffer[] = [];
  for (let at = 0; at < tar.length; at += 10_007) members.push(gzipSync(tar.subarray(at, at + 10_007)));
  const unpacked = await unpack(box.put(Buffer.concat(members)), box.scratch);
  expect(treeIn(unpacked.folder)).toEqual(asTree({ 'saved_model.pb': 'model', noise: noise(700_000) }));
  await unpacked.dispose();
});

test('what macOS adds is left out, a comment for all is read over, long times and owners do not matter', async () => {
  const entries: TarEntry[] = [
    paxOf({ comment: 'a commit' }, 'g'),
    { name: './', type: '5' },
    { name: './._saved_model.pb', data: 'junk' },
    paxOf({ mtime: '1.5', 'SCHILY.xattr.user.x': 'y' }),
    { ...MODEL, mode: 0o7777 },
  ];
  const unpacked = await unpack(box.put(tarOf(entries)), box.scratch);
  expect(treeIn(unpacked.folder)).toEqual({ 'saved_model.pb': 'model' });
  expect(unpacked.skipped).toEqual(['._saved_model.pb']);
  await unpacked.dispose();
});

function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0, state = 1; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}
