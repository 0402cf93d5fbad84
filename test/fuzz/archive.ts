import fc from 'fast-check';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { unpack, unpackModel, type Unpacked } from '@fairway/archive';
import { FairwayError } from '@fairway/core';
import { type FileTree, type TarEntry, tarOf, tarTree, type ZipEntry, zipOf, zipTree } from '../harness/archives.ts';
import { anyTree } from '../harness/trees.ts';
import { type Attempt, campaign } from './campaign.ts';
import { mutated, type Mutation, mutations, resealed } from './mutations.ts';

/** An archive and what is done to it; `reseal`: tar checksums are made right again, so that what lies behind them is reached. */
type Case = {
  readonly kind: 'zip' | 'tar' | 'tar.gz' | 'nested';
  readonly whole: Buffer;
  readonly changes: readonly Mutation[];
  readonly reseal: boolean;
};

const EVIL = [
  '../evil',
  '/evil',
  'C:evil',
  'a\\b',
  'a//b',
  '\0',
  '.',
  '',
  'saved_model.pb',
  'SAVED_MODEL.PB',
  'a/'.repeat(150),
];
const number = fc.oneof(fc.nat(100), fc.constantFrom(0xffff, 0xffffffff, 0x7fffffff, 0x80000000), fc.nat(0xffffffff));

/** Entries that lie about themselves, in fields that are otherwise well formed: bit flips rarely get so deep. */
const lyingZip: fc.Arbitrary<Buffer> = fc
  .array(
    fc.record(
      {
        name: fc.oneof(fc.constantFrom(...EVIL), fc.string({ maxLength: 8 })),
        data: fc.uint8Array({ maxLength: 200 }),
        method: fc.constantFrom(0, 8, 8, 12, 99),
        mode: fc.constantFrom(0, 0, 0o100644, 0o040755, 0o120777, 0o010644),
        flags: fc.constantFrom(0, 0, 1, 8, 0x20, 0x40, 0x2000),
        descriptor: fc.constantFrom('signed' as const, 'plain' as const, 'wide' as const),
        zip64: fc.boolean(),
        local: fc.record({ size: number, compressed: number, crc: number }, { requiredKeys: [] }),
        central: fc.record({ size: number, compressed: number, crc: number, offset: number }, { requiredKeys: [] }),
      },
      { requiredKeys: ['name'] },
    ),
    { maxLength: 5 },
  )
  .chain((entries: ZipEntry[]) =>
    fc
      .record(
        {
          zip64: fc.boolean(),
          comment: fc.stringMatching(/^[a-z]{0,9}$/),
          end: fc.record(
            { disk: number, here: number, entries: number, bytes: number, offset: number },
            { requiredKeys: [] },
          ),
        },
        { requiredKeys: [] },
      )
      .map((shape) => zipOf(entries, { ...shape, end: short(shape.end ?? {}) })),
  );

/** The first fields of the end record have two bytes. */
const short = (end: Partial<Record<'disk' | 'here' | 'entries' | 'bytes' | 'offset', number>>) =>
  Object.fromEntries(
    Object.entries(end).map(([key, value]) => [key, key === 'bytes' || key === 'offset' ? value : value & 0xffff]),
  );

const lyingTar: fc.Arbitrary<Buffer> = fc
  .array(
    fc.record(
      {
        name: fc.oneof(fc.constantFrom(...EVIL.filter(({ length }) => length <= 100)), fc.string({ maxLength: 8 })),
        data: fc.oneof(
          fc.uint8Array({ maxLength: 700 }),
          fc.constantFrom('9 path=a\n', '12 path=../a\n', '11 size=99\n'),
        ),
        type: fc.constantFrom('0', '0', '0', '1', '2', '5', 'x', 'x', 'g', 'L', 'K', '3', '6', 'S', 'Z', '\0'),
        size: fc.oneof(number, fc.constantFrom(2 ** 40, '\x80'.padEnd(12, '\xff'), '\xff'.repeat(12), 'x')),
      },
      { requiredKeys: ['name', 'type'] },
    ),
    { maxLength: 6 },
  )
  .map((entries: TarEntry[]) => tarOf(entries));

const whole = (tree: FileTree) => ({ 'saved_model.pb': 'model', ...tree });
const cases: fc.Arbitrary<Case> = fc
  .oneof(
    anyTree.map((tree) => ({ kind: 'zip' as const, whole: zipTree(whole(tree)) })),
    anyTree.map((tree) => ({ kind: 'zip' as const, whole: zipTree(whole(tree), 0) })),
    anyTree.map((tree) => ({ kind: 'tar' as const, whole: tarTree(whole(tree)) })),
    anyTree.map((tree) => ({ kind: 'tar.gz' as const, whole: tarTree(whole(tree)) })),
    anyTree.map((tree) => ({ kind: 'nested' as const, whole: zipTree(whole(tree)) })),
    lyingZip.map((bytes) => ({ kind: 'zip' as const, whole: bytes })),
    lyingTar.map((bytes) => ({ kind: 'tar' as const, whole: bytes })),
    lyingTar.map((bytes) => ({ kind: 'tar.gz' as const, whole: bytes })),
  )
  .chain((made) =>
    fc.record({
      kind: fc.constant(made.kind),
      whole: fc.constant(made.whole),
      changes: mutations,
      reseal: fc.boolean(),
    }),
  );

/** The bytes that are unpacked: of a tar.gz the tar or the gzip around it is damaged, by `reseal`. */
function bytesOfCase({ kind, whole: bytes, changes, reseal }: Case): Buffer {
  switch (kind) {
    case 'zip':
      return mutated(bytes, changes);
    case 'tar':
      return reseal ? resealed(mutated(bytes, changes)) : mutated(bytes, changes);
    case 'tar.gz':
      return reseal ? gzipSync(resealed(mutated(bytes, changes))) : mutated(gzipSync(bytes), changes);
    case 'nested':
      return zipTree({ 'model.zip': mutated(bytes, changes), 'ModelProperties.json': '{}' }, reseal ? 0 : 8);
    default:
      return kind satisfies never;
  }
}

/** Whatever is unpacked: it comes out whole or is refused in a sentence; nothing stays behind, nothing lands beside. */
const attemptIn =
  (dir: string): Attempt<Case> =>
  async (one) => {
    const file = join(dir, 'box', 'model');
    const scratch = join(dir, 'box', 'deep', 'scratch');
    writeFileSync(file, bytesOfCase(one));
    for (const way of [unpack, unpackModel]) {
      const wrong = await way(file, scratch).then(disposed, refusedWell);
      if (wrong !== undefined) return wrong;
    }
    const there = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((path) => !EXPECTED.has(path));
    return there.length === 0 ? undefined : `left behind or outside: ${there.join(', ')}`;
  };

const EXPECTED = new Set(['box', 'box/model', 'box/deep', 'box/deep/scratch']);

async function disposed(unpacked: Unpacked): Promise<string | undefined> {
  await unpacked.dispose();
  return undefined;
}

function refusedWell(error: unknown): string | undefined {
  if (!(error instanceof FairwayError)) return `threw ${String(error instanceof Error ? error.stack : error)}`;
  if (error.code !== 'model.invalid' && error.code !== 'disk.full') return `refused as ${error.code}: ${error.message}`;
  // One line that a terminal, a log and a page can show as it is.
  return /^[^\p{Cc}]{10,600}\.$/u.test(error.message)
    ? undefined
    : `no clear sentence: ${JSON.stringify(error.message)}`;
}

export const archive = campaign('archive', {
  cases,
  capMs: 10_000,
  rssMb: 512,
  open: async () => {
    const dir = mkdtempSync(join(tmpdir(), 'fairway-fuzz-'));
    mkdirSync(join(dir, 'box', 'deep'), { recursive: true });
    return { attempt: attemptIn(dir), close: async () => rmSync(dir, { recursive: true }) };
  },
});
