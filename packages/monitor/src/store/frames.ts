import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ExchangeHead } from '@fairway/core';
import { type Frame, inflated } from '../app/frames.ts';
import type { ExchangeRow, Recording } from '../ports.ts';

const deflate = promisify(gzip);
const GZIP = 0x1f8b;

/** A row of `pack_frames`; `positions`: where each exchange stands in it. */
export type DayFrames = { readonly day: string; readonly frames: Uint8Array };
type PlacedFrames = {
  readonly rows: readonly DayFrames[];
  readonly positionOf: (exchange: ExchangeRow) => number;
};

/**
 * The bytes of a pack by day, so that they go when their day goes. A pack of one day stays as it came, which costs nothing;
 * one of several (at midnight, imported history) is packed again.
 */
export async function dayFrames({
  payload,
  exchanges,
}: Pick<Recording, 'payload' | 'exchanges'>): Promise<PlacedFrames> {
  const [first] = exchanges;
  if (first === undefined) return { rows: [], positionOf: () => 0 };
  if (exchanges.every(({ day }) => day === first.day)) {
    const rows = [{ day: first.day, frames: Buffer.from(payload, 'base64') }];
    return { rows, positionOf: ({ position }) => position };
  }
  const days = new Map<string, Uint8Array[]>();
  const positions = new Map<ExchangeRow, number>();
  for (const exchange of exchanges) {
    const parts = days.get(exchange.day) ?? [];
    days.set(exchange.day, parts);
    positions.set(exchange, parts.length / FIELDS);
    parts.push(...[exchange.head, exchange.request, exchange.response].flatMap((field) => [length(field), field]));
  }
  const rows = [...days].map(async ([day, parts]) => ({ day, frames: await deflate(Buffer.concat(parts)) }));
  return { rows: await Promise.all(rows), positionOf: (exchange) => positions.get(exchange) ?? exchange.position };
}

/** Head, request and response, each behind its length. */
const FIELDS = 6;

function length(field: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(field.length);
  return bytes;
}

/** The exchanges at these positions of the bytes of a row of `pack_frames`. */
export async function framesAt(stored: Buffer, positions: readonly number[]): Promise<Frame[]> {
  const data = stored.length >= 2 && stored.readUInt16BE(0) === GZIP ? await inflated(stored) : stored;
  const wanted = new Set(positions);
  const found: Frame[] = [];
  let at = 0;
  const field = (): Buffer => {
    const start = at + 4;
    at = start + data.readUInt32BE(at);
    return data.subarray(start, at);
  };
  for (let position = 0; at < data.length; position++) {
    const start = at;
    const [head, request, response] = [field(), field(), field()];
    if (!wanted.has(position)) continue;
    const bytes = data.subarray(start, at);
    const read = JSON.parse(head.toString('utf8')) as ExchangeHead;
    found.push({ position, exchange: { head: read, request, response }, head, bytes: () => bytes });
  }
  return found;
}
