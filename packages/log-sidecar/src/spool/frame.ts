import { crc32 } from 'node:zlib';

/**
 * A segment is frames one behind the other. Frame: u32 payload length, u32 CRC-32 of all that follows, u8 kind,
 * u32 pack ordinal, u48 sequence, payload (big endian). A pack is all exchanges of one ordinal: its bounds are on disk
 * before anything of it is sent, so a resend after a crash has the same bounds.
 */
export const FRAME_HEADER = 19;

export const KIND = {
  /** JSON {@link SegmentHeader}; the first frame of each segment. */
  header: 1,
  /** One encoded exchange. */
  exchange: 2,
  /** JSON PackNote of the pack. */
  note: 3,
  /** The queue has the pack. */
  done: 4,
  /** JSON Mark; the last one of an epoch is true. */
  mark: 5,
} as const;

export type FrameKind = (typeof KIND)[keyof typeof KIND];

/** A frame to be written. */
export type FrameContent = {
  readonly kind: FrameKind;
  readonly ordinal: number;
  readonly seq: number;
  readonly payload: Uint8Array;
};

export const NOTHING = new Uint8Array(0);

export const jsonFrame = (kind: FrameKind, ordinal: number, seq: number, content: object): FrameContent => ({
  kind,
  ordinal,
  seq,
  payload: Buffer.from(JSON.stringify(content)),
});

export type Frame = {
  readonly kind: number;
  readonly ordinal: number;
  readonly seq: number;
  readonly payload: Buffer;
  /** Offset in the bytes that were read. */
  readonly start: number;
  readonly end: number;
};

export function frameHeader({ kind, ordinal, seq, payload }: FrameContent): Buffer {
  const header = Buffer.allocUnsafe(FRAME_HEADER);
  header.writeUInt32BE(payload.length, 0);
  header.writeUInt8(kind, 8);
  header.writeUInt32BE(ordinal, 9);
  header.writeUIntBE(seq, 13, 6);
  const crc = crc32(header.subarray(8));
  // zlib answers 0 for "no bytes at all", whatever came before them.
  header.writeUInt32BE(payload.length === 0 ? crc : crc32(payload, crc), 4);
  return header;
}

/** The whole frames at the front of `bytes`; `length` is where the first torn or corrupt one begins. */
export function readFrames(bytes: Buffer): { frames: Frame[]; length: number } {
  const frames: Frame[] = [];
  let at = 0;
  while (at + FRAME_HEADER <= bytes.length) {
    const end = at + FRAME_HEADER + bytes.readUInt32BE(at);
    if (end > bytes.length || crc32(bytes.subarray(at + 8, end)) !== bytes.readUInt32BE(at + 4)) break;
    frames.push({
      kind: bytes.readUInt8(at + 8),
      ordinal: bytes.readUInt32BE(at + 9),
      seq: bytes.readUIntBE(at + 13, 6),
      payload: bytes.subarray(at + FRAME_HEADER, end),
      start: at,
      end,
    });
    at = end;
  }
  return { frames, length: at };
}
