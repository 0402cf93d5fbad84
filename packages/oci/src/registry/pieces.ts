/**
 * Bytes in pieces of `size`, the last one shorter; none of an empty source. Two buffers take turns: a piece is overwritten
 * when the one after the next is asked for. Pages that a short blob does not fill are never touched.
 */
export async function* pieces(bytes: AsyncIterable<Uint8Array>, size: number): AsyncIterable<Buffer> {
  const buffers: Buffer[] = [];
  let turn = 0;
  let filled = 0;
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; ) {
      const buffer = (buffers[turn] ??= Buffer.allocUnsafeSlow(size));
      const part = chunk.subarray(at, at + size - filled);
      buffer.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < size) continue;
      yield buffer;
      turn = 1 - turn;
      filled = 0;
    }
  }
  if (filled > 0) yield (buffers[turn] as Buffer).subarray(0, filled);
}
