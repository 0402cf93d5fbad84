import protobuf from 'protobufjs';

/** One field of a message: a number, a text or bytes. */
export type Part = readonly [id: number, value: number | string | Uint8Array];

/** A protobuf message without a schema: the fields in order. */
export function message(...parts: readonly Part[]): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const [id, value] of parts) {
    if (typeof value === 'number') writer.uint32(id * 8).int64(value);
    else writer.uint32(id * 8 + 2).bytes(typeof value === 'string' ? Buffer.from(value) : value);
  }
  return writer.finish();
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
