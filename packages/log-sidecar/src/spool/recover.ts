import { readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { decodeExchanges } from '@fairway/core';
import type { Mark, PackNote, Span } from '../ports.ts';
import { type Frame, jsonFrame, KIND, readFrames } from './frame.ts';
import { emptyPack, extend, type StoredPack } from './pack.ts';
import { Segment } from './segment.ts';

export const SEGMENT_SUFFIX = '.spool';

/** First frame of a segment. */
export type SegmentHeader = { readonly v: 1; readonly agent: string; readonly epoch: string };

/** An epoch of this process that has ended. `given`: its last number. */
export type Predecessor = { readonly epoch: string; readonly given: number };

/** `killed`: exchanges that were in the memory of earlier epochs when they were killed, at most. */
export type Recovered = {
  readonly segments: Segment[];
  readonly packs: StoredPack[];
  readonly torn: number;
  readonly killed: number;
};

/** Ordinal of the pack that says what was in memory when its epoch was killed. */
const CLOSING = 0xffff_ffff;

/**
 * What earlier epochs left in the folder: packs that the queue did not take, oldest first, and for each epoch that was
 * killed one without exchanges that closes its sequence. Torn tails are cut and counted in bytes, segments without open
 * packs are removed. Throws the system's error when the folder cannot be read.
 */
export function recover(directory: string, now: number, predecessor?: Predecessor): Recovered {
  const names = readdirSync(directory)
    .filter((name) => name.endsWith(SEGMENT_SUFFIX))
    .sort();
  const segments: Segment[] = [];
  const packs: StoredPack[] = [];
  const context = { now, losses: new Map(), ends: new Map() };
  let torn = 0;
  for (const name of names) {
    const path = join(directory, name);
    const bytes = readFileSync(path);
    const { frames, length } = readFrames(bytes);
    torn += bytes.length - length;
    if (length < bytes.length) truncateSync(path, length);
    const segment = Segment.existing(path, length);
    packs.push(...packsOf(segment, frames, { ...context, at: statSync(path).mtimeMs }));
    segments.push(segment);
  }
  const closing = [...context.ends.values()].flatMap((end) => closingPack(end, now, predecessor));
  packs.push(...closing);
  for (const { segment } of packs) if (segment) segment.packs++;
  for (const segment of segments) if (segment.packs === 0) segment.remove();
  const killed = closing.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  return { segments: segments.filter((segment) => segment.packs > 0), packs, torn, killed };
}

/** The newest mark of an epoch, where it stands, and whether the queue knows of what it tells. */
type End = { agent: string; epoch: string; segment: Segment; mark: Mark; closed: boolean; at: number };

type Context = {
  readonly now: number;
  readonly at: number;
  readonly losses: Map<string, PackNote['dropped']>;
  readonly ends: Map<string, End>;
};

/** Nothing when the epoch ended in order. What it tells is on the disk before it is sent: a resend tells the same. */
function closingPack(end: End, now: number, predecessor: Predecessor | undefined): StoredPack[] {
  const { agent, epoch, segment, closed, at } = end;
  let { mark } = end;
  if (predecessor?.epoch === epoch) {
    mark = { ...mark, high: Math.max(mark.taken, predecessor.given) };
    segment.append([jsonFrame(KIND.mark, 0, mark.high, mark)]);
  }
  const { high, taken, dropped } = mark;
  if (closed || high <= taken) return [];
  const pack = emptyPack({ agent, epoch, ordinal: CLOSING, segment, start: 0, openedAt: now, at, payloads: [] });
  const note = { versions: [], dropped: { ...dropped, killed: high - taken } };
  return [{ ...pack, first: taken + 1, last: high, closedAt: now, earlierDropped: dropped, note, ready: true }];
}

function packsOf(segment: Segment, frames: readonly Frame[], context: Context): StoredPack[] {
  const [first] = frames;
  if (first?.kind !== KIND.header) return [];
  const { agent, epoch } = JSON.parse(first.payload.toString()) as SegmentHeader;
  const packs = new Map<number, StoredPack>();
  for (const frame of frames) {
    const { kind, ordinal, seq, start, end } = frame;
    const pack = packs.get(ordinal);
    if (kind === KIND.exchange) {
      const { now: openedAt, at } = context;
      const grown = pack ?? emptyPack({ agent, epoch, ordinal, segment, start, openedAt, at, payloads: undefined });
      packs.set(ordinal, grown);
      extend(grown, { seq, bytes: frame.payload, span: undefined }, end);
    } else if (kind === KIND.note) {
      const note = JSON.parse(frame.payload.toString()) as PackNote;
      context.losses.set(epoch, note.dropped);
      if (pack) pack.note = note;
    } else if (kind === KIND.mark) {
      const mark = JSON.parse(frame.payload.toString()) as Mark;
      context.losses.set(epoch, mark.dropped);
      context.ends.set(epoch, { agent, epoch, segment, mark, closed: false, at: context.at });
    } else if (kind === KIND.done) {
      const ended = context.ends.get(epoch);
      if (ordinal === CLOSING && ended) ended.closed = true;
      packs.delete(ordinal);
    }
  }
  return [...packs.values()].map((pack) => finished(pack, frames, context));
}

/** A recovered pack is closed as it is. Without a note it was never sent: its versions are still to be settled. */
function finished(pack: StoredPack, frames: readonly Frame[], { now, losses }: Context): StoredPack {
  pack.closedAt = now;
  pack.ready = pack.note !== undefined;
  const earlierDropped = losses.get(pack.epoch) ?? {};
  if (pack.note) return { ...pack, earlierDropped };
  const own = frames.filter(({ kind, ordinal }) => kind === KIND.exchange && ordinal === pack.ordinal);
  return { ...pack, earlierDropped, spans: own.flatMap(({ payload }) => recoveredSpan(payload)) };
}

/** When it ran is not known any more: before everything that this process observes. */
function recoveredSpan(payload: Buffer): Span[] {
  const [exchange] = decodeExchanges(payload);
  // What the URL, its label or the answer said stands.
  if (!exchange || !['status', 'ambiguous'].includes(exchange.head.versionSource)) return [];
  const { seq, version, versionSource: source } = exchange.head;
  return [{ seq, startedAt: Number.NEGATIVE_INFINITY, endedAt: Number.NEGATIVE_INFINITY, version, source }];
}
