import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { type Exchange, FairwayError, type Pack } from '@fairway/core';
import { type HeadReader, headReader } from './heads.ts';

/** One exchange as it stands in its pack, from 0. */
export type Frame = {
  readonly position: number;
  readonly exchange: Exchange;
  /** The head's JSON as the agent wrote it. */
  readonly head: Uint8Array;
  /** All bytes of it, lengths too. */
  readonly bytes: () => Uint8Array;
};

/** An exchange that cannot be stored as rows, and is kept as it is. */
export type RefusedFrame = Pick<Frame, 'position' | 'bytes'> & { readonly reason: string };

export type Frames = { readonly frames: readonly Frame[]; readonly refused: readonly RefusedFrame[] };

/** The agent packs at most some MiB; what inflates to more is no pack. */
const MOST_BYTES = 512 * 1024 * 1024;
const MOST_AT_ONCE = 8 * 1024 * 1024;
const inflate = promisify(gunzip);

/** A pack's bytes, in one piece as long as the gzip's last four bytes say: in the platform's 16 KiB it takes three times the time. */
export function inflated(packed: Buffer): Promise<Buffer> {
  const said = packed.length < 4 ? 0 : packed.readUInt32LE(packed.length - 4);
  return inflate(packed, { maxOutputLength: MOST_BYTES, chunkSize: Math.min(said, MOST_AT_ONCE) + 64 });
}

/**
 * The exchanges of a pack (`encodeExchange` in core says how they are framed). A head that is no JSON costs its exchange; of
 * equal ids the last one stands. Throws on a payload that is torn or foreign.
 */
export async function readFrames({ payload }: Pack, readHead: HeadReader = headReader()): Promise<Frames> {
  const data = await inflated(Buffer.from(payload, 'base64'));
  const frames = new Map<string, Frame>();
  const refused: RefusedFrame[] = [];
  for (let at = 0, position = 0; at < data.length; position++) {
    const start = at;
    const head = field(data, at);
    const request = field(data, (at += 4 + head.length));
    const response = field(data, (at += 4 + request.length));
    at += 4 + response.length;
    const end = at;
    const bytes = () => data.subarray(start, end);
    const read = readHead(head);
    if (typeof read === 'string') refused.push({ position, bytes, reason: read });
    else frames.set(read.id, { position, exchange: { head: read, request, response }, head, bytes });
  }
  return { frames: [...frames.values()], refused };
}

function field(data: Buffer, at: number): Buffer {
  const start = at + 4;
  const end = start > data.length ? Number.POSITIVE_INFINITY : start + data.readUInt32BE(at);
  if (end > data.length) {
    throw new FairwayError('pack.invalid', `A capture pack ends in the middle of an exchange at byte ${at}.`);
  }
  return data.subarray(start, end);
}
