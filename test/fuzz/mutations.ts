import fc from 'fast-check';

/** Damage that does not know what it damages. `at` and `length` are shares of the whole, so that they fit any length. */
export type Mutation =
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'set'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'remove' | 'repeat' | 'zero'; readonly at: number; readonly length: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array };

/** Without fast-check's liking for small numbers: it would mostly break the first byte, and nothing behind it is looked at then. */
const share = fc.noBias(fc.nat(2 ** 30 - 1)).map((x) => x / 2 ** 30);
/** The directory of a zip lies at its end: much damage goes there. */
const at = fc.oneof(
  share,
  share.map((x) => 1 - (1 - x) ** 4),
);
const length = share.map((x) => x ** 3);
const bytes = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 8 }),
  fc
    .constantFrom(
      '00',
      'ff',
      '7f',
      '80',
      'ffff',
      'ffffffff',
      'ffffff7f',
      '00000080',
      'ffffffffffffffff',
      '504b0304',
      '504b0506',
      '504b0606',
      '1f8b08',
    )
    .map((hex) => Uint8Array.from(Buffer.from(hex, 'hex'))),
);

const cut: fc.Arbitrary<Mutation> = fc.record({ kind: fc.constant('cut' as const), at });
const damage: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('flip' as const), at, bit: fc.nat(7) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('set' as const), at, bytes }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('remove', 'repeat', 'zero'), at, length }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('insert' as const), at, bytes }) },
);

/** Mostly one change: the first one that is found ends the unpacking, and hides those behind it. */
export const mutations: fc.Arbitrary<readonly Mutation[]> = fc.oneof(
  { weight: 1, arbitrary: fc.constant([]) },
  { weight: 3, arbitrary: cut.map((one) => [one]) },
  { weight: 6, arbitrary: damage.map((one) => [one]) },
  { weight: 4, arbitrary: fc.array(damage, { minLength: 2, maxLength: 5 }) },
);

export const mutated = (whole: Buffer, changes: readonly Mutation[]): Buffer =>
  changes.reduce(change, Buffer.from(whole));

function change(from: Buffer, mutation: Mutation): Buffer {
  const place = Math.floor(mutation.at * from.length);
  if (from.length === 0) return from;
  switch (mutation.kind) {
    case 'cut':
      return from.subarray(0, place);
    case 'flip':
      from[place] = (from[place] ?? 0) ^ (1 << mutation.bit);
      return from;
    case 'set':
      from.set(mutation.bytes.subarray(0, from.length - place), place);
      return from;
    case 'insert':
      return Buffer.concat([from.subarray(0, place), mutation.bytes, from.subarray(place)]);
    default:
      return ranged(from, mutation.kind, place, place + 1 + Math.floor(mutation.length * (from.length - place)));
  }
}

function ranged(from: Buffer, kind: 'remove' | 'repeat' | 'zero', start: number, end: number): Buffer {
  switch (kind) {
    case 'remove':
      return Buffer.concat([from.subarray(0, start), from.subarray(end)]);
    case 'repeat':
      return Buffer.concat([from.subarray(0, end), from.subarray(start)]);
    case 'zero':
      return from.fill(0, start, end);
    default:
      return kind satisfies never;
  }
}

/** A tar with right checksums again, wherever a block looks like a header. */
export function resealed(tar: Buffer): Buffer {
  for (let at = 0; at + 512 <= tar.length; at += 512) {
    const block = tar.subarray(at, at + 512);
    if (!block.toString('latin1', 257, 262).startsWith('ust')) continue;
    block.fill(' ', 148, 156);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  }
  return tar;
}
