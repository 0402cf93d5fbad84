import { readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { decodeExchanges } from '@fairway/core';
import type { Mark, PackNote, Span } from '../ports.ts';
import { type Frame, jsonFrame, KIND, readFrames } from './frame.ts';
import { HIGH_SUFFIX, readHigh, removeHigh } from './high-file.ts';
import { framed } from './batch.ts';
import { emptyPack, extend, type StoredPack } from './pack.ts';
import { Segment } from './segment.ts';
import { Spans } from './spans.ts';

export const SEGMENT_SUFFIX = '.spool';

/** First frame of a segment. Without a model, as earlier agents wrote it, it is taken to be of the model that the pod serves now. */
export type SegmentHeader = {
  readonly v: 1;
  readonly agent: string;
  readonly epoch: string;
  readonly model?: string;
};

/** An epoch of this process that has ended. `given`: its last number. */
export type Predecessor = { readonly epoch: string; readonly given: number };

/** The agent and the epoch that now begin. `synced`: as for the spool. */
export type Recovering = {
  readonly directory: string;
  readonly agent: string;
  readonly epoch: string;
  readonly model: string;
  readonly synced: boolean;
  readonly predecessor?: Predecessor | undefined;
};

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
export function recover(recovering: Recovering, now: number): Recovered {
  const { directory } = recovering;
  const names = readdirSync(directory).sort();
  const segments: Segment[] = [];
  const packs: StoredPack[] = [];
  const context = {
    now,
    model: recovering.model,
    losses: new Map(),
    ends: new Map<string, End>(),
    gone: new Set<string>(),
  };
  let torn = 0;
  for (const name of names) {
    if (!name.endsWith(SEGMENT_SUFFIX)) continue;
    const path = join(directory, name);
    const bytes = readFileSync(path);
    const { frames, length } = readFrames(bytes);
    torn += bytes.length - length;
    if (length < bytes.length) truncateSync(path, length);
    const segment = Segment.existing(path, length);
    packs.push(...packsOf(segment, frames, { ...context, at: statSync(path).mtimeMs }));
    segments.push(segment);
  }
  const left = packs.filter(({ epoch, ordinal }) => !context.gone.has(packKey(epoch, ordinal)));
  for (const name of names) {
    if (!name.endsWith(HIGH_SUFFIX)) continue;
    const epoch = name.slice(0, -HIGH_SUFFIX.length);
    if (epoch !== recovering.epoch && !context.ends.has(epoch)) context.ends.set(epoch, unwritten(recovering, epoch));
  }
  const closing = [...context.ends.values()].flatMap((end) => closingPack(end, now, recovering));
  left.push(...closing);
  for (const { segment } of closing) if (segment && !segments.includes(segment)) segments.push(segment);
  for (const { segment } of left) if (segment) segment.packs++;
  for (const segment of segments) if (segment.packs === 0) segment.remove();
  const killed = closing.reduce((sum, { note }) => sum + (note?.dropped['killed'] ?? 0), 0);
  return { segments: segments.filter((segment) => segment.packs > 0), packs: left, torn, killed };
}

/** What is known of an epoch's end: its newest mark, what is written behind it, and whether the queue knows all that. */
type End = {
  readonly agent: string;
  readonly epoch: string;
  readonly model: string;
  segment: Segment | undefined;
  mark: Mark;
  /** Exchanges behind the mark: the kill came before theirs was written, or it was damaged. */
  behind: number;
  /** The highest number of an exchange. */
  last: number;
  closed: boolean;
  at: number;
};

type Context = {
  readonly now: number;
  readonly at: number;
  /** Of this agent. */
  readonly model: string;
  readonly losses: Map<string, PackNote['dropped']>;
  readonly ends: Map<string, End>;
  /** Packs that were given up, as {@link packKey}. */
  readonly gone: Set<string>;
};

const packKey = (epoch: string, ordinal: number): string => `${epoch} ${ordinal}`;

const UNMARKED: Mark = { high: 0, taken: 0, dropped: {} };

/** An epoch without a readable segment: it was killed before its first group was written, or the file was damaged. */
function unwritten({ directory, agent, model }: Recovering, epoch: string): End {
  const { taken = 0 } = readHigh(directory, epoch) ?? {};
  const mark = { ...UNMARKED, taken };
  return { agent, epoch, model, segment: undefined, mark, behind: 0, last: 0, closed: false, at: Date.now() };
}

/** Nothing when the epoch ended in order. What it tells is on the disk before it is sent: a resend tells the same. */
function closingPack(end: End, now: number, { directory, synced, predecessor }: Recovering): StoredPack[] {
  const { agent, epoch, model, mark, behind, closed, at } = end;
  const { dropped } = mark;
  const counted = Math.max(mark.high, readHigh(directory, epoch)?.high ?? 0);
  const high = predecessor?.epoch === epoch ? predecessor.given : counted;
  const { held = { first: 0, count: 0 } } = mark;
  const killed = high - mark.taken - behind + held.count;
  const first = held.count > 0 ? held.first : Math.max(mark.taken, end.last) + 1;
  if (closed || killed <= 0 || high < first) {
    removeHigh(directory, epoch);
    return [];
  }
  const segment = end.segment ?? firstSegment(directory, { v: 1, agent, epoch, model }, synced);
  const told = jsonFrame(KIND.mark, 0, high, { high, taken: high - killed + held.count, dropped, held });
  segment?.append(framed([told]));
  removeHigh(directory, epoch);
  const from = { agent, epoch, model, segment, at };
  const pack = emptyPack({ ...from, ordinal: CLOSING, start: 0, openedAt: now, kept: [], spans: new Spans() });
  const note = { versions: [], dropped: { ...dropped, killed } };
  return [{ ...pack, first, last: high, closedAt: now, earlierDropped: dropped, note, ready: true }];
}

function firstSegment(directory: string, header: SegmentHeader, synced: boolean): Segment | undefined {
  try {
    const segment = Segment.create(join(directory, `${header.epoch}-closing${SEGMENT_SUFFIX}`), synced);
    segment.append(framed([jsonFrame(KIND.header, 0, 0, header)]));
    return segment;
  } catch {
    // It is told from memory.
    return undefined;
  }
}

function packsOf(segment: Segment, frames: readonly Frame[], context: Context): StoredPack[] {
  const [first] = frames;
  if (first?.kind !== KIND.header) return [];
  const { agent, epoch, model = context.model } = JSON.parse(first.payload.toString()) as SegmentHeader;
  const packs = new Map<number, StoredPack>();
  const known = context.ends.get(epoch);
  const unmarked = { mark: UNMARKED, behind: 0, last: 0, closed: false, at: 0 };
  const ended: End = known ?? { agent, epoch, model, segment, ...unmarked };
  Object.assign(ended, { segment, at: context.at });
  context.ends.set(epoch, ended);
  for (const frame of frames) {
    const { kind, ordinal, seq, start, end } = frame;
    const pack = packs.get(ordinal);
    if (kind === KIND.exchange) {
      ended.behind++;
      ended.last = Math.max(ended.last, seq);
      const { now: openedAt, at } = context;
      const from = { agent, epoch, model, segment, at };
      const grown = pack ?? emptyPack({ ...from, ordinal, start, openedAt, kept: undefined, spans: new Spans() });
      packs.set(ordinal, grown);
      extend(grown, { first: seq, last: seq, exchanges: 1, bytes: frame.payload.length }, end);
    } else if (kind === KIND.note) {
      const note = JSON.parse(frame.payload.toString()) as PackNote;
      context.losses.set(epoch, note.dropped);
      if (pack) pack.note = note;
    } else if (kind === KIND.mark) {
      const mark = JSON.parse(frame.payload.toString()) as Mark;
      context.losses.set(epoch, mark.dropped);
      for (const gone of mark.gone ?? []) context.gone.add(packKey(epoch, gone));
      Object.assign(ended, { mark, behind: 0, closed: false });
    } else if (kind === KIND.done) {
      if (ordinal === CLOSING) ended.closed = true;
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
  for (const { payload } of own) for (const span of recoveredSpan(payload)) pack.spans.add(span);
  return { ...pack, earlierDropped };
}

/** When it ran is not known any more: before everything that this process observes. */
function recoveredSpan(payload: Buffer): Span[] {
  const [exchange] = decodeExchanges(payload);
  // What the URL, its label or the answer said stands.
  if (!exchange || !['status', 'ambiguous'].includes(exchange.head.versionSource)) return [];
  const { seq, version, versionSource: source } = exchange.head;
  return [{ seq, startedAt: Number.NEGATIVE_INFINITY, endedAt: Number.NEGATIVE_INFINITY, version, source }];
}
