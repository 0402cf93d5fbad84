import { promisify } from 'node:util';
import { gunzip, gunzipSync } from 'node:zlib';
import { type ExchangeHead, FairwayError, type Pack } from '@fairway/core';
import { type HeadReader, headReader } from './heads.ts';
import { type Place, type Viewed, viewed } from './viewed.ts';

/** Of the length before each part of a frame. */
const LENGTH = 4;

/**
 * What stands at `start` of the bytes of a pack (`encodeExchange` in core says how it is framed); its parts are cut out when
 * somebody asks for them. `head`: what `readHead` makes of its first part. Throws `pack.invalid` where the bytes end too early.
 */
export class Framed<Head> {
  /** Where it stands in its pack, from 0. */
  readonly position: number;
  readonly head: Head;
  readonly end: number;
  private readonly data: Viewed;
  private readonly start: number;
  private readonly headEnd: number;
  private readonly requestEnd: number;

  constructor(data: Viewed, start: number, position: number, readHead: (place: Place) => Head) {
    this.position = position;
    this.data = data;
    this.start = start;
    this.headEnd = endOfField(data.bytes, start);
    this.requestEnd = endOfField(data.bytes, this.headEnd);
    this.end = endOfField(data.bytes, this.requestEnd);
    this.head = readHead(this.place(start, this.headEnd));
  }

  get request(): Buffer {
    return this.cut(this.headEnd, this.requestEnd);
  }

  get response(): Buffer {
    return this.cut(this.requestEnd, this.end);
  }

  requestPlace(): Place {
    return this.place(this.headEnd, this.requestEnd);
  }

  responsePlace(): Place {
    return this.place(this.requestEnd, this.end);
  }

  /** The head's JSON as the agent wrote it, request and response. */
  parts(): readonly [Buffer, Buffer, Buffer] {
    return [this.cut(this.start, this.headEnd), this.request, this.response];
  }

  /** All bytes of it, lengths too. */
  bytes(): Buffer {
    return this.data.bytes.subarray(this.start, this.end);
  }

  private place(start: number, to: number): Place {
    const { bytes, view } = this.data;
    return { bytes, view, from: start + LENGTH, to };
  }

  private cut(start: number, end: number): Buffer {
    return this.data.bytes.subarray(start + LENGTH, end);
  }
}

/** One exchange as it stands in its pack. */
export type Frame = Framed<ExchangeHead>;

/** An exchange that cannot be stored as rows, and is kept as it is. */
export type RefusedFrame = { readonly position: number; readonly bytes: () => Uint8Array; readonly reason: string };

export type Frames = { readonly frames: readonly Frame[]; readonly refused: readonly RefusedFrame[] };

/** The agent packs at most some MiB; what inflates to more is no pack. */
const MOST_BYTES = 512 * 1024 * 1024;
const MOST_AT_ONCE = 8 * 1024 * 1024;
const MOST_HERE = 1024 * 1024;
const inflate = promisify(gunzip);

/**
 * A pack's bytes, in one piece as long as the gzip's last four bytes say: in the platform's 16 KiB it takes three times the time.
 * Those of an ordinary pack take less than a millisecond: to have another thread do it costs more than that.
 */
export async function inflated(packed: Buffer): Promise<Buffer> {
  const said = packed.length < 4 ? 0 : packed.readUInt32LE(packed.length - 4);
  const here = said <= MOST_HERE ? inflatedHere(packed, said) : undefined;
  if (here !== undefined) return here;
  return inflate(packed, { maxOutputLength: MOST_BYTES, chunkSize: Math.min(said, MOST_AT_ONCE) + 64 });
}

/** undefined: it is more than its last bytes say, as of a gzip in several parts. */
function inflatedHere(packed: Buffer, said: number): Buffer | undefined {
  try {
    return gunzipSync(packed, { maxOutputLength: MOST_HERE, chunkSize: said + 64 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return undefined;
    throw error;
  }
}

/**
 * The exchanges of a pack. A head that is no JSON costs its exchange; of equal ids the last one stands. Throws on a payload
 * that is torn or foreign.
 */
export async function readFrames({ payload }: Pack, readHead: HeadReader = headReader()): Promise<Frames> {
  const data = viewed(await inflated(Buffer.from(payload, 'base64')));
  const frames = new Map<string, Frame>();
  const refused: RefusedFrame[] = [];
  for (let at = 0, position = 0; at < data.bytes.length; position++) {
    const frame = new Framed(data, at, position, readHead);
    at = frame.end;
    const { head } = frame;
    if (typeof head === 'string') refused.push({ position, bytes: () => frame.bytes(), reason: head });
    else frames.set(head.id, frame as Frame);
  }
  return { frames: [...frames.values()], refused };
}

function endOfField(data: Buffer, at: number): number {
  const start = at + LENGTH;
  const end = start > data.length ? Number.POSITIVE_INFINITY : start + data.readUInt32BE(at);
  if (end <= data.length) return end;
  throw new FairwayError('pack.invalid', `A capture pack ends in the middle of an exchange at byte ${at}.`);
}
