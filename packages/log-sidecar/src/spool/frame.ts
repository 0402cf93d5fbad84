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

/** A frame to be written; of an exchange, its pack's ordinal is known when the write is. */
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

/** The whole frames at the front of `bytes`; `length` is where the first torn or corrupt one begins. */
export function readFrames(bytes: Buffer): { frames: Frame[]; length: number } {
  const frames: Frame[] = [];
  let at = 0;
  for (let end = frameEnd(bytes, at); end > 0; end = frameEnd(bytes, at)) {
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

/** The exchanges of pack `ordinal` in these bytes of frames, one behind the other, and how many there are. */
export function exchangesOf(frames: Buffer, ordinal: number): { bytes: Buffer; count: number } {
  const bytes = Buffer.allocUnsafeSlow(frames.length);
  let [at, count, length] = [0, 0, 0];
  for (let end = frameEnd(frames, at); end > 0; end = frameEnd(frames, at)) {
    if (frames[at + 8] === KIND.exchange && frames.readUInt32BE(at + 9) === ordinal) {
      length += frames.copy(bytes, length, at + FRAME_HEADER, end);
      count++;
    }
    at = end;
  }
  return { bytes: bytes.subarray(0, length), count };
}

/** Where the frame at `at` ends; -1: there is no whole one. */
function frameEnd(bytes: Buffer, at: number): number {
  if (at + FRAME_HEADER > bytes.length) return -1;
  const end = at + FRAME_HEADER + bytes.readUInt32BE(at);
  return end > bytes.length || crc32(bytes.subarray(at + 8, end)) !== bytes.readUInt32BE(at + 4) ? -1 : end;
}
