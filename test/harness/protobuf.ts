/** One field of a message: a number (int64), a text or bytes. */
export type Part = readonly [id: number, value: number | string | Uint8Array];

/** A protobuf message without a schema: the fields in order. */
export const message = (...parts: readonly Part[]): Uint8Array =>
  Buffer.concat(
    parts.flatMap(([id, value]) => {
      if (typeof value === 'number') return [varint(id * 8), varint(value)];
      const bytes = typeof value === 'string' ? Buffer.from(value) : value;
      return [varint(id * 8 + 2), varint(bytes.length), bytes];
    }),
  );

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

/** CRC-32C as TFRecords and LevelDB tables keep it; by its definition, bit for bit, unlike the product's table. */
export function maskedCrc(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  const plain = ~crc >>> 0;
  return ((((plain >>> 15) | (plain << 17)) >>> 0) + 0xa282ead8) >>> 0;
}
