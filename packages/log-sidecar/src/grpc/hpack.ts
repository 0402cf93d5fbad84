import { decodeHuffman } from './huffman.ts';
import { type Field, STATIC_TABLE } from './static-table.ts';

/** What a table may hold before anything was said about it (RFC 9113 §6.5.2). */
const DEFAULT_TABLE = 4096;
/** Each entry counts for 32 octets more than its text (RFC 7541 §4.1). */
const OVERHEAD = 32;
/** A block of single octets may name entries of 4 KiB each. */
const LIST_CAP = 256 * 1024;
const MAX_INTEGER = 2 ** 28;

type Cursor = { at: number };

/**
 * Reads the header blocks of one direction (RFC 7541). Every block has to pass through it, or the table that later ones
 * refer to is no longer the encoder's. Whoever looks on needs to follow the size updates in the blocks only: an encoder
 * announces each change of its table there.
 */
export class HpackDecoder {
  private readonly table: Field[] = [];
  private size = 0;
  private maxSize = DEFAULT_TABLE;
  private allowed = DEFAULT_TABLE;
  private readonly cap: number;

  /** `cap`: the largest table that is followed, in octets. */
  constructor(cap: number) {
    this.cap = cap;
  }

  /** The receiver of the blocks allows a table of this size. */
  allow(size: number): void {
    // A smaller one holds only once the encoder knows it: it may have used the larger one until then.
    this.allowed = Math.max(this.allowed, size);
  }

  /** Tells every field of one whole block. Throws RangeError when it is none, or larger than what is followed. */
  decode(block: Buffer, field: (name: string, value: string) => void): void {
    const cursor = { at: 0 };
    let list = 0;
    let updates = true;
    while (cursor.at < block.length) {
      const first = block[cursor.at] as number;
      if ((first & 0xe0) === 0x20) {
        if (!updates) throw new RangeError('a table size stands behind a field');
        this.resize(integer(block, cursor, 5));
        continue;
      }
      updates = false;
      const { name, value } = this.field(block, cursor, first);
      list += name.length + value.length + OVERHEAD;
      if (list > LIST_CAP) throw new RangeError('the fields are too large');
      field(name, value);
    }
  }

  private field(block: Buffer, cursor: Cursor, first: number): Field {
    if (first & 0x80) return this.entry(integer(block, cursor, 7));
    const index = integer(block, cursor, first & 0x40 ? 6 : 4);
    const name = index === 0 ? string(block, cursor) : this.entry(index).name;
    const field = { name, value: string(block, cursor) };
    if (first & 0x40) this.add(field);
    return field;
  }

  private entry(index: number): Field {
    const dynamic = index - STATIC_TABLE.length - 1;
    const found = dynamic < 0 ? STATIC_TABLE[index - 1] : this.table[this.table.length - 1 - dynamic];
    if (found === undefined) throw new RangeError(`there is no entry ${index}`);
    return found;
  }

  private add(field: Field): void {
    this.size += sizeOf(field);
    this.table.push(field);
    this.evict();
  }

  private resize(size: number): void {
    if (size > this.allowed || size > this.cap) throw new RangeError(`a table of ${size} octets is not followed`);
    this.maxSize = size;
    this.evict();
  }

  private evict(): void {
    let gone = 0;
    for (; this.size > this.maxSize; gone++) this.size -= sizeOf(this.table[gone] as Field);
    if (gone > 0) this.table.splice(0, gone);
  }
}

const sizeOf = ({ name, value }: Field): number => name.length + value.length + OVERHEAD;

/** An integer with a prefix of so many bits (RFC 7541 §5.1). */
function integer(block: Buffer, cursor: Cursor, prefix: number): number {
  const most = (1 << prefix) - 1;
  let value = octet(block, cursor) & most;
  if (value < most) return value;
  for (let factor = 1; ; factor *= 128) {
    const next = octet(block, cursor);
    value += (next & 0x7f) * factor;
    if (value > MAX_INTEGER || factor > MAX_INTEGER) throw new RangeError('an integer is too large');
    if (next < 0x80) return value;
  }
}

function string(block: Buffer, cursor: Cursor): string {
  const huffman = ((block[cursor.at] ?? 0) & 0x80) !== 0;
  const length = integer(block, cursor, 7);
  const start = cursor.at;
  const end = start + length;
  if (end > block.length) throw new RangeError('a text is cut off');
  cursor.at = end;
  return huffman ? decodeHuffman(block, start, end) : block.toString('latin1', start, end);
}

function octet(block: Buffer, cursor: Cursor): number {
  const next = block[cursor.at++];
  if (next === undefined) throw new RangeError('the block is cut off');
  return next;
}
