/** One header block of a tar (POSIX.1-1988 ustar, pax, GNU), as far as it matters here. */
export type TarHeader = {
  readonly name: Buffer;
  readonly size: number;
  /** The type flag; a NUL of old archives is '0'. */
  readonly type: string;
};

/** 'end': a block of zeros. A string of any other kind: what is wrong, to go on after "model.tar". */
export function parseTarHeader(block: Buffer): TarHeader | 'end' | `has ${string}` {
  if (block.every((byte) => byte === 0)) return 'end';
  const magic = block.toString('latin1', 257, 263);
  if (magic !== 'ustar\0' && magic !== 'ustar ') return 'has a header that is no tar header';
  const sum = octal(block.subarray(148, 156));
  if (sum === undefined || !sums(block).includes(sum)) return 'has a header whose checksum is wrong';
  const size = number(block.subarray(124, 136));
  if (size === undefined) return 'has a header whose size is no number';
  const name = text(block.subarray(0, 100));
  // GNU's own format keeps times where POSIX has the front of a long name.
  const prefix = magic === 'ustar\0' ? text(block.subarray(345, 500)) : Buffer.alloc(0);
  const type = block[156] === 0 ? '0' : String.fromCharCode(block[156] ?? 0);
  return { name: prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name]), size, type };
}

/** Old tars summed signed bytes. */
function sums(block: Buffer): number[] {
  let unsigned = 8 * 32;
  let signed = 8 * 32;
  for (let at = 0; at < 512; at++) {
    if (at >= 148 && at < 156) continue;
    unsigned += block[at] ?? 0;
    signed += block.readInt8(at);
  }
  return [unsigned, signed];
}

const text = (field: Buffer): Buffer => {
  const end = field.indexOf(0);
  return end < 0 ? field : field.subarray(0, end);
};

function octal(field: Buffer): number | undefined {
  const digits = /^ *([0-7]+)[ \0]*$/.exec(field.toString('latin1'))?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 8);
}

/** Octal, or from 8 GiB on GNU's base 256 with the top bit set; a negative one (0xff) is undefined. */
function number(field: Buffer): number | undefined {
  if (field[0] !== 0x80) return octal(field);
  const value = Number(BigInt(`0x${field.subarray(1).toString('hex')}`));
  return Number.isSafeInteger(value) ? value : undefined;
}

/** The records of a pax header (`length key=value\n`), or undefined when they are not well formed. */
export function parsePax(body: Buffer): ReadonlyMap<string, Buffer> | undefined {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at);
    const digits = space < 0 || space - at > 8 ? '' : body.toString('latin1', at, space);
    const end = at + Number(digits);
    if (!/^[1-9]\d*$/.test(digits) || end > body.length || end <= space + 1 || body[end - 1] !== 0x0a) return undefined;
    const equals = body.indexOf(0x3d, space + 1);
    if (equals < 0 || equals >= end) return undefined;
    records.set(body.toString('utf8', space + 1, equals), body.subarray(equals + 1, end - 1));
    at = end;
  }
  return records;
}
