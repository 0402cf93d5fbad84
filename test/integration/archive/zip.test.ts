import { crc32, deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { unpack, type UnpackLimits } from '@fairway/archive';
import { field, zipOf, type ZipEntry, type ZipShape } from '../../harness/archives.ts';
import { asTree, type Box, openBox, treeIn } from './box.ts';

let box: Box;
beforeEach(() => {
  box = openBox();
});
afterEach(() => box.close());

const MODEL: ZipEntry = { name: 'saved_model.pb', data: 'model' };
const LINK = 0o120777;

describe('entries that are refused by name', () => {
  const CASES: readonly (readonly [what: string, entry: ZipEntry, sentence: RegExp])[] = [
    ['climbs', { name: '../evil' }, /"\.\.\/evil" of model\.bin climbs out/],
    ['climbs below', { name: 'a/../../evil' }, /climbs out/],
    ['absolute', { name: '/tmp/evil' }, /absolute path/],
    ['drive', { name: 'C:evil' }, /drive letter/],
    ['backslash', { name: '..\\evil' }, /backslash/],
    ['NUL', { name: 'evil\0.txt' }, /control or invisible/],
    ['terminal escapes', { name: 'a\u{1b}[2Jb' }, /"a\\u001b\[2Jb" of model\.bin has control/],
    ['right to left', { name: 'a\u{202e}gpj.exe' }, /\\u\{202e\}.*control or invisible/],
    [
      'a name that would fill the page',
      { name: '\u{1}'.repeat(400) },
      /^The entry ".{118}…" of model\.bin has control/,
    ],
    ['empty part', { name: 'a//b' }, /empty part/],
    ['not UTF-8', { name: Buffer.from([0x61, 0xe9]) }, /not UTF-8/],
    ['long', { name: 'x/'.repeat(250) + 'x' }, /more than the 400|more than 400/],
    ['symbolic link', { name: 'link', data: '/etc/passwd', mode: LINK }, /symbolic link/],
    ['pipe', { name: 'p', mode: 0o010644 }, /a pipe/],
    ['device', { name: 'd', mode: 0o060644 }, /a device/],
    ['character device', { name: 'd', mode: 0o020644 }, /a device/],
    ['socket', { name: 's', mode: 0o140644 }, /a socket/],
    ['unknown type', { name: 's', mode: 0o150644 }, /unknown type/],
    ['folder by type only', { name: 'd', mode: 0o040755 }, /two ways that differ/],
    ['file with the name of a folder', { name: 'd/', mode: 0o100644 }, /two ways that differ/],
    ['folder with bytes', { name: 'd/', data: 'bytes', method: 0 }, /folder that has bytes/],
    ['twice', { name: 'saved_model.pb', data: 'other' }, /is there twice/],
    ['case', { name: 'Saved_Model.pb' }, /"Saved_Model\.pb".*only by case/],
    ['file and folder', { name: 'saved_model.pb/x' }, /both a file and a folder/],
    ['encrypted', { name: 'e', data: 'x', flags: 1 }, /is encrypted; pack it without a password/],
    ['strongly encrypted', { name: 'e', data: 'x', flags: 0x41 }, /is encrypted/],
    ['hidden headers', { name: 'e', data: 'x', flags: 0x2000 }, /is encrypted/],
    ['climbs, and speaks of encryption', { name: '../encryption' }, /climbs out/],
    ['AES', { name: 'e', data: 'x', method: 99 }, /is encrypted/],
    ['bzip2', { name: 'e', data: 'x', method: 12 }, /compressed by bzip2/],
    ['Deflate64', { name: 'e', data: 'x', method: 9 }, /compressed by Deflate64/],
    ['unknown method', { name: 'e', data: 'x', method: 77 }, /compressed by method 77/],
    ['patch data', { name: 'e', data: 'x', flags: 0x20 }, /compressed by/],
    ['checksum', { name: 'e', data: 'x', local: { crc: 1 }, central: { crc: 1 } }, /length or checksum differ/],
    ['stored checksum', { name: 'e', data: 'x', method: 0, local: { crc: 1 }, central: { crc: 1 } }, /checksum differ/],
    ['smaller than it says', { name: 'e', data: 'xy', local: { size: 3 }, central: { size: 3 } }, /length or checksum/],
    ['larger than it says', { name: 'e', data: 'xy', local: { size: 1 }, central: { size: 1 } }, /length or checksum/],
    ['stored in two sizes', { name: 'e', data: 'xy', method: 0, central: { size: 3 } }, /two ways that differ/],
    ['another name before the data', { name: 'e', local: { name: Buffer.from('f') } }, /two ways that differ/],
    ['another method before the data', { name: 'e', local: { method: 0 } }, /two ways that differ/],
    ['another size before the data', { name: 'e', data: 'x', local: { size: 9 } }, /two ways that differ/],
    ['another checksum before the data', { name: 'e', data: 'x', local: { crc: 9 } }, /two ways that differ/],
    [
      'another size before data of a stream',
      { name: 'e', data: 'x', descriptor: 'signed', local: { size: 9 } },
      /two ways/,
    ],
    ['encrypted before the data', { name: 'e', data: 'x', local: { flags: 0x801 } }, /two ways that differ/],
    ['a second name in another field', { name: 'e', central: { extra: unicodeName('e', '../evil') } }, /two ways/],
    [
      'not deflated',
      { name: 'e', data: 'garbage!', method: 0, local: { method: 8 }, central: { method: 8 } },
      /damaged/,
    ],
    ['deflated data behind its end', hidden(), /damaged|data ends before its end/],
    ['cut deflated data', cut(), /damaged/],
  ];

  test.each(CASES)('%s', async (_, entry, sentence) => {
    expect(await box.refused(zipOf([MODEL, entry]))).toMatch(sentence);
  });
});

describe('zips that contradict themselves', () => {
  const second: ZipEntry = { name: 'b', data: 'bbbb', method: 0 };
  const CASES: readonly (readonly [what: string, entries: readonly ZipEntry[], shape: ZipShape, sentence: RegExp])[] = [
    ['bytes behind', [MODEL], { after: Buffer.from('trailing') }, /other bytes after its end/],
    ['bytes before', [MODEL], { prefix: Buffer.from('PK\x03\x04????') }, /belong to none/],
    ['bytes between', [MODEL, { ...second, before: Buffer.from('hidden') }], {}, /belong to none/],
    ['bytes before the directory', [MODEL], { beforeDirectory: Buffer.from('hidden') }, /belong to none/],
    [
      'an entry that is not listed',
      [MODEL, { ...second, before: zipOf([second]).subarray(0, 35) }],
      {},
      /belong to none/,
    ],
    ['another checksum behind the data', [{ ...second, descriptor: 'signed', late: { crc: 1 } }], {}, /belong to none/],
    ['another size behind the data', [{ ...second, descriptor: 'plain', late: { size: 1 } }], {}, /belong to none/],
    ['another length behind', [{ ...second, descriptor: 'wide', late: { compressed: 1 } }], {}, /belong to none/],
    ['fewer entries', [MODEL, second], { end: { entries: 1, here: 1 } }, /longer or shorter/],
    ['more entries', [MODEL, second], { end: { entries: 3, here: 3 } }, /damaged|longer or shorter/],
    ['split', [MODEL], { end: { disk: 1 } }, /one part of a zip/],
    ['directory on another part', [MODEL], { end: { startDisk: 1 } }, /one part of a zip/],
    ['some entries elsewhere', [MODEL, second], { end: { here: 1 } }, /one part of a zip/],
    ['a directory elsewhere', [MODEL], { end: { offset: 7 } }, /contradicts itself/],
    ['a directory outside', [MODEL], { end: { offset: 0xfffffff0 } }, /contradicts itself/],
    ['a longer directory', [MODEL], { end: { bytes: 1000 } }, /contradicts itself/],
    ['zip64 that differs', [MODEL], { zip64: true, end: { entries: 7 } }, /contradicts itself/],
    ['zip64 of parts', [MODEL], { zip64: true, end: { disk: 3 } }, /contradicts itself/],
    ['data outside', [{ ...MODEL, central: { offset: 1_000_000 } }], {}, /belong to none/],
    ['data in the directory', [MODEL, { ...second, central: { offset: 60 } }], {}, /belong to none|damaged/],
    [
      'two on the same bytes',
      [MODEL, { ...MODEL, name: 'b', central: { offset: 0 } }],
      {},
      /shares its bytes|two ways/,
    ],
    ['empty', [], {}, /holds no file/],
    ['only folders', [{ name: 'variables/', method: 0 }], {}, /holds no file/],
  ];

  test.each(CASES)('%s', async (_, entries, shape, sentence) => {
    expect(await box.refused(zipOf(entries, shape))).toMatch(sentence);
  });

  test('one that is cut at any byte', async () => {
    const whole = zipOf([MODEL, second], { comment: 'packed by hand' });
    for (let length = 0; length < whole.length; length++) {
      expect(await box.refused(whole.subarray(0, length))).toMatch(/is cut off|is empty|neither zip/);
    }
  });

  // Offsets in the 76 bytes of zip64 record and locator before the 22 of the end record (APPNOTE 4.3.14, 4.3.15).
  test.each([
    ['some entries elsewhere', 24, 7n, /one part of a zip/],
    ['a longer record', 4, 45n, /contradicts itself/],
    ['a record that is cut', 64, 150n, /contradicts itself/],
    ['no record', 0, 0n, /contradicts itself/],
    ['a directory elsewhere', 48, 3n, /contradicts itself/],
  ] as const)('zip64: %s', async (_, at, value, sentence) => {
    const wide = zipOf([MODEL, second], { zip64: true });
    wide.writeBigUInt64LE(value, wide.length - 22 - 76 + at);
    expect(await box.refused(wide)).toMatch(sentence);
  });

  test('offsets beyond what a number can hold', async () => {
    const far = zipOf([MODEL], { zip64: true });
    far.writeBigUInt64LE(0xffffffff_ffffffffn, far.length - 22 - 12);
    expect(await box.refused(far)).toMatch(/contradicts itself/);
    const extra = Buffer.from(field(1, [0]));
    extra.writeBigUInt64LE(0xffffffff_ffffffffn, 4);
    expect(await box.refused(zipOf([{ ...MODEL, central: { offset: 0xffffffff, extra } }]))).toMatch(/belong to none/);
  });
});

describe('bombs', () => {
  test('one entry of zeros (a thousand to one)', async () => {
    expect(await box.refused(zipOf([{ name: 'zeros', data: Buffer.alloc(20_000_000) }]))).toMatch(
      /more than 200 times/,
    );
  });

  test('sizes that are told are enough to refuse it', async () => {
    const told = { size: 0xfffffff0 };
    const entry = { name: 'zeros', data: 'x', local: told, central: told };
    expect(await box.refused(zipOf([entry]))).toMatch(/more than 200 times/);
    expect(await box.refused(zipOf([entry]), { bytes: 1000, ratio: Infinity })).toMatch(/more than the 1000 bytes/);
  });

  test('one that hides its size is stopped when it passes it', async () => {
    const zeros = Buffer.alloc(20_000_000);
    const told = { size: 10, crc: crc32(zeros) };
    expect(await box.refused(zipOf([{ name: 'zeros', data: zeros, local: told, central: told }]))).toMatch(/differ/);
  });

  // Fifield: the header of an entry is quoted by the deflated data of the one before, so all share one kernel.
  test('entries that overlap', async () => {
    expect(await box.refused(overlapping(50))).toMatch(/shares its bytes/);
  });

  test('archives inside archives share one budget', async () => {
    const layer = (inner: Buffer) => zipOf(Array.from({ length: 8 }, (_, i) => ({ name: `${i}.zip`, data: inner })));
    const bomb = layer(layer(zipOf([{ name: 'zeros', data: Buffer.alloc(900_000) }])));
    expect(await box.refusedModel(bomb, { depth: 5 })).toMatch(/more than 200 times its \d+ bytes/);
  });

  test.each([
    [{ entries: 10 }, /more than the 10 files and folders/],
    [{ bytes: 1000 }, /more than the 1000 bytes/],
  ] satisfies (readonly [Partial<UnpackLimits>, RegExp])[])('limits %j', async (limits, sentence) => {
    const entries = Array.from({ length: 11 }, (_, i) => ({ name: `f${i}`, data: Buffer.alloc(100, i) }));
    expect(await box.refused(zipOf(entries), limits)).toMatch(sentence);
  });

  test('folders that are only implied count as well', async () => {
    expect(await box.refused(zipOf([{ name: 'a/b/c/d/e/f', data: 'x' }]), { entries: 5 })).toMatch(/more than the 5/);
  });

  test('a directory of a million entries is refused by its number', async () => {
    const many = zipOf([MODEL], { zip64: true });
    const at = many.length - 22 - 20 - 56;
    many.writeBigUInt64LE(1_000_000n, at + 24);
    many.writeBigUInt64LE(1_000_000n, at + 32);
    expect(await box.refused(many)).toMatch(/more than the 20000 files/);
  });
});

test.each([
  ['deflated', {}],
  ['stored', { method: 0 }],
  ['written as a stream', { descriptor: 'signed' }],
  ['written as a stream, old style', { descriptor: 'plain' }],
  ['written as a stream, zip64', { descriptor: 'wide' }],
  ['in zip64', { zip64: true }],
  ['with setuid, setgid and sticky bits', { mode: 0o107777 }],
] satisfies (readonly [string, Partial<ZipEntry>])[])('an entry %s comes out', async (_, how) => {
  const data = Buffer.from('model'.repeat(1000));
  for (const shape of [{}, { zip64: true }, { comment: 'PK\x05\x06' }]) {
    const file = box.put(
      zipOf(
        [
          { name: './saved_model.pb', data, ...how },
          { name: 'assets/', method: 0 },
        ],
        shape,
      ),
    );
    const unpacked = await unpack(file, box.scratch);
    expect(treeIn(unpacked.folder)).toEqual(asTree({ 'saved_model.pb': data, 'assets/': '' }));
    expect(unpacked).toMatchObject({ entries: 2, bytes: data.length, skipped: [] });
    await unpacked.dispose();
  }
});

test('what macOS adds is left out and told', async () => {
  const junk = ['__MACOSX/', '__MACOSX/._saved_model.pb', 'variables/.DS_Store'];
  const file = box.put(
    zipOf([MODEL, ...junk.map((name) => ({ name, ...(name.endsWith('/') ? { method: 0 } : { data: 'junk' }) }))]),
  );
  const unpacked = await unpack(file, box.scratch);
  expect(Object.keys(treeIn(unpacked.folder))).toEqual(['saved_model.pb', 'variables/']);
  expect(unpacked.skipped).toEqual(junk.map((name) => name.replace(/\/$/, '')));
});

function unicodeName(name: string, other: string): Buffer {
  const head = Buffer.alloc(9);
  head.writeUInt16LE(0x7075, 0);
  head.writeUInt16LE(5 + other.length, 2);
  head[4] = 1;
  head.writeUInt32LE(crc32(name), 5);
  return Buffer.concat([head, Buffer.from(other)]);
}

/** Stored here as the deflated bytes they are, with more behind the end of the deflate stream. */
function hidden(): ZipEntry {
  const data = Buffer.concat([deflateRawSync('xy'), Buffer.from('hidden')]);
  const truth = { method: 8, size: 2, crc: crc32('xy') };
  return { name: 'e', data, method: 0, local: truth, central: truth };
}

function cut(): ZipEntry {
  const data = deflateRawSync('xy'.repeat(50)).subarray(0, -2);
  const truth = { method: 8, size: 100, crc: crc32('xy'.repeat(50)) };
  return { name: 'e', data, method: 0, local: truth, central: truth };
}

/** `count` entries whose data all run to the end of the last one's. */
function overlapping(count: number): Buffer {
  const one = zipOf([{ name: '000', data: Buffer.alloc(1_000_000), method: 0 }]);
  const heads = Array.from({ length: count }, (_, i) => ({ name: String(i).padStart(3, '0') }));
  const size = (i: number) => 1_000_000 + 33 * (count - 1 - i);
  return zipOf(
    heads.map((entry, i) => ({
      ...entry,
      method: 0,
      ...(i === count - 1 ? { data: Buffer.alloc(1_000_000) } : {}),
      local: { size: size(i), compressed: size(i) },
      central: { size: size(i), compressed: size(i) },
    })),
    { comment: String(one.length) },
  );
}
