import { type Body, HOP_LOSSES, type RawExchange, type SeenExchange } from '../ports.ts';
import type { RingViews } from './ring.ts';

/** An exchange as the capture thread takes it over. Its bodies lie in the ring: they are gone when it is released. */
export type Taken = {
  readonly seq: number;
  /** What the hop had lost until this exchange, in the order of HOP_LOSSES. */
  readonly lost: readonly number[];
  readonly raw: RawExchange;
};

const OUTCOMES = ['complete', 'client_aborted', 'upstream_aborted'] as const;
const TEXTS = ['id', 'method', 'target', 'correlationId', 'eventTime', 'requestEncoding', 'answered'] as const;
/** Doubles: seq, at, startedAt, endedAt, requestLength, responseLength, then words of 4 bytes. */
const DOUBLES = 6;
const WORDS_AT = DOUBLES * 2;
/** Words: bytes of text, of request, of response; status; flags; grpcStatus; losses; lengths of the texts. */
const LOST_AT = WORDS_AT + 6;
const LENGTHS_AT = LOST_AT + HOP_LOSSES.length;
const TEXT_COUNT = TEXTS.length + 2;
const FIXED = (LENGTHS_AT + TEXT_COUNT) * 4;
/** For "there is none", which is not the same as an empty text. */
const ABSENT = 0xffff_ffff;
const TRUNCATED = 4;
const GRPC = 8;
const GRPC_STATUS = 16;

/** Bytes that the exchange takes in the ring at most. A character is 3 bytes of UTF-8 at most. */
export function roomFor(raw: SeenExchange): number {
  let characters = raw.route.model.length + (raw.route.version?.length ?? 0);
  for (const name of TEXTS) characters += raw[name]?.length ?? 0;
  return FIXED + characters * 3 + lengthOf(raw.request) + lengthOf(raw.response);
}

/** Writes the exchange at `at`, where there is room for it. */
export function writeRecord(
  views: RingViews,
  at: number,
  raw: SeenExchange,
  seq: number,
  lost: readonly number[],
): void {
  const { bytes, u32, f64 } = views;
  const doubles = at >>> 3;
  f64[doubles] = seq;
  f64[doubles + 1] = raw.at;
  f64[doubles + 2] = raw.startedAt;
  f64[doubles + 3] = raw.endedAt;
  f64[doubles + 4] = raw.requestLength;
  f64[doubles + 5] = raw.responseLength;
  const words = at >>> 2;
  let text = '';
  let slot = words + LENGTHS_AT;
  for (const name of TEXTS) {
    const value = raw[name];
    u32[slot++] = value === undefined ? ABSENT : value.length;
    if (value !== undefined) text += value;
  }
  const { model, version } = raw.route;
  u32[slot++] = model.length;
  u32[slot] = version === undefined ? ABSENT : version.length;
  text += version === undefined ? model : model + version;
  let end = at + FIXED;
  const textBytes = bytes.write(text, end, 'utf8');
  end += textBytes;
  u32[words + WORDS_AT] = textBytes;
  u32[words + WORDS_AT + 1] = lengthOf(raw.request);
  u32[words + WORDS_AT + 2] = lengthOf(raw.response);
  u32[words + WORDS_AT + 3] = raw.status;
  u32[words + WORDS_AT + 4] =
    OUTCOMES.indexOf(raw.outcome) |
    (raw.truncated ? TRUNCATED : 0) |
    (raw.protocol === undefined ? 0 : GRPC) |
    (raw.grpcStatus === undefined ? 0 : GRPC_STATUS);
  u32[words + WORDS_AT + 5] = raw.grpcStatus ?? 0;
  for (let i = 0; i < lost.length; i++) u32[words + LOST_AT + i] = lost[i] as number;
  copy(bytes, copy(bytes, end, raw.request), raw.response);
}

/** Reads what `writeRecord` wrote. */
export function readRecord({ bytes, u32, f64 }: RingViews, at: number): Taken {
  const doubles = at >>> 3;
  const words = at >>> 2;
  const word = (index: number): number => u32[words + WORDS_AT + index] as number;
  const [textBytes, requestBytes, responseBytes, flags] = [word(0), word(1), word(2), word(4)];
  const request = at + FIXED + textBytes;
  const text = bytes.toString('utf8', at + FIXED, request);
  let from = 0;
  let slot = words + LENGTHS_AT;
  const next = (): string | undefined => {
    const length = u32[slot++] as number;
    return length === ABSENT ? undefined : text.slice(from, (from += length));
  };
  const [id = '', method = '', target = ''] = [next(), next(), next()];
  const [correlationId, eventTime, requestEncoding, answered] = [next(), next(), next(), next()];
  const [model = '', version] = [next(), next()];
  return {
    seq: f64[doubles] as number,
    lost: HOP_LOSSES.map((_, i) => u32[words + LOST_AT + i] as number),
    raw: {
      id,
      route: version === undefined ? { model } : { model, version },
      method,
      target,
      status: word(3),
      outcome: OUTCOMES[flags & 3] ?? 'complete',
      ...((flags & GRPC) === 0 ? {} : { protocol: 'grpc' as const }),
      ...((flags & GRPC_STATUS) === 0 ? {} : { grpcStatus: word(5) }),
      ...(answered === undefined ? {} : { answered }),
      at: f64[doubles + 1] as number,
      startedAt: f64[doubles + 2] as number,
      endedAt: f64[doubles + 3] as number,
      correlationId,
      eventTime,
      requestEncoding,
      request: bytes.subarray(request, request + requestBytes),
      requestLength: f64[doubles + 4] as number,
      response: bytes.subarray(request + requestBytes, request + requestBytes + responseBytes),
      responseLength: f64[doubles + 5] as number,
      truncated: (flags & TRUNCATED) !== 0,
    },
  };
}

function lengthOf(body: Body): number {
  if (body instanceof Uint8Array) return body.length;
  let length = 0;
  for (const piece of body) length += piece.length;
  return length;
}

function copy(into: Buffer, at: number, body: Body): number {
  if (body instanceof Uint8Array) {
    into.set(body, at);
    return at + body.length;
  }
  let end = at;
  for (const piece of body) {
    into.set(piece, end);
    end += piece.length;
  }
  return end;
}
