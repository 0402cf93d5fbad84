/**
 * Code lengths of the octets 0 to 255 and of EOS (RFC 7541, appendix B). The code is canonical: codes of one length are
 * given out in the order of their octets, so that the lengths say all.
 */
const LENGTHS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
  28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6,
  5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23,
  22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22,
  23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26,
  20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27,
  27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27,
  27, 27, 27, 26, 30,
];

const LEAF = 0x8000;
const EOS = 256;

/** Tables of 256 entries each: a leaf (octet, and how many of the 8 bits are its own), or the table for the next 8 bits. */
const TABLES = tables();

function tables(): Uint16Array[] {
  const all = [new Uint16Array(256)];
  let code = 0;
  for (let length = 5; length <= 30; length++, code <<= 1) {
    for (let symbol = 0; symbol <= EOS; symbol++) if (LENGTHS[symbol] === length) place(all, symbol, code++, length);
  }
  return all;
}

function place(all: Uint16Array[], symbol: number, code: number, length: number): void {
  let at = 0;
  let left = length;
  for (; left > 8; left -= 8) {
    const table = all[at] as Uint16Array;
    const octet = (code >>> (left - 8)) & 0xff;
    if (table[octet] === 0) table[octet] = all.push(new Uint16Array(256)) - 1;
    at = table[octet] as number;
  }
  const first = (code << (8 - left)) & 0xff;
  // EOS stays without a leaf: a text that holds it is malformed.
  if (symbol !== EOS) all[at]?.fill(LEAF | (left << 8) | symbol, first, first + (1 << (8 - left)));
}

/**
 * The octets behind a Huffman code, as latin1. Throws RangeError on EOS, on padding of more than 7 bits, and on padding
 * that is no beginning of EOS (RFC 7541 §5.2).
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number): string {
  const text = Buffer.allocUnsafe(Math.floor(((end - start) * 8) / 5));
  let [length, bits, count, table, whole] = [0, 0, 0, 0, 0];
  for (let at = start; at < end || count > 0; ) {
    if (count < 8 && at < end) {
      bits = ((bits & 0xff) << 8) | (bytes[at++] as number);
      count += 8;
      whole += 8;
    }
    const octet = (count >= 8 ? bits >>> (count - 8) : bits << (8 - count)) & 0xff;
    const entry = TABLES[table]?.[octet] ?? 0;
    const taken = entry & LEAF ? (entry >>> 8) & 0x7f : 8;
    if (entry === 0 || taken > count) break;
    count -= taken;
    table = entry & LEAF ? 0 : entry;
    if (entry & LEAF) {
      text[length++] = entry & 0xff;
      whole = count;
    }
  }
  const padding = (1 << count) - 1;
  if (whole > 7 || (bits & padding) !== padding) throw new RangeError('a Huffman code does not end as it must');
  return text.toString('latin1', 0, length);
}
