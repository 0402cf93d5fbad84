import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ExchangeHead } from '@fairway/core';
import { type Frame, Framed, inflated } from '../app/frames.ts';
import { type Place, viewed } from '../app/viewed.ts';
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
    parts.push(...exchange.frame.parts().flatMap((field) => [length(field), field]));
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
  const data = viewed(stored.length >= 2 && stored.readUInt16BE(0) === GZIP ? await inflated(stored) : stored);
  const wanted = new Set(positions);
  const readHead = ({ bytes, from, to }: Place) => JSON.parse(bytes.toString('utf8', from, to)) as ExchangeHead;
  const found: Frame[] = [];
  for (let at = 0, position = 0; at < data.bytes.length; position++) {
    const frame = new Framed(data, at, position, wanted.has(position) ? readHead : () => undefined);
    at = frame.end;
    if (isWanted(frame)) found.push(frame);
  }
  return found;
}

const isWanted = (frame: Framed<ExchangeHead | undefined>): frame is Frame => frame.head !== undefined;
