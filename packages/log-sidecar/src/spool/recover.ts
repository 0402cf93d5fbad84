import { readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { decodeExchanges } from '@fairway/core';
import type { PackNote, Span } from '../ports.ts';
import { type Frame, KIND, readFrames } from './frame.ts';
import { emptyPack, extend, type StoredPack } from './pack.ts';
import { Segment } from './segment.ts';

export const SEGMENT_SUFFIX = '.spool';

/** First frame of a segment. */
export type SegmentHeader = { readonly v: 1; readonly agent: string; readonly epoch: string };

export type Recovered = { readonly segments: Segment[]; readonly packs: StoredPack[]; readonly torn: number };

/**
 * What earlier epochs left in the folder: packs that the queue did not take, oldest first. Torn tails are cut and
 * counted in bytes, segments without open packs are removed. Throws the system's error when the folder cannot be read.
 */
export function recover(directory: string, now: number): Recovered {
  const names = readdirSync(directory)
    .filter((name) => name.endsWith(SEGMENT_SUFFIX))
    .sort();
  const segments: Segment[] = [];
  const packs: StoredPack[] = [];
  const losses = new Map<string, PackNote['dropped']>();
  let torn = 0;
  for (const name of names) {
    const path = join(directory, name);
    const bytes = readFileSync(path);
    const { frames, length } = readFrames(bytes);
    torn += bytes.length - length;
    if (length < bytes.length) truncateSync(path, length);
    const segment = Segment.existing(path, length);
    const left = packsOf(segment, frames, { now, at: statSync(path).mtimeMs, losses });
    if (left.length === 0) segment.remove();
    else segments.push(segment);
    segment.packs = left.length;
    packs.push(...left);
  }
  return { segments, packs, torn };
}

type Context = { readonly now: number; readonly at: number; readonly losses: Map<string, PackNote['dropped']> };

function packsOf(segment: Segment, frames: readonly Frame[], context: Context): StoredPack[] {
  const [first] = frames;
  if (first?.kind !== KIND.header) return [];
  const { agent, epoch } = JSON.parse(first.payload.toString()) as SegmentHeader;
  const packs = new Map<number, StoredPack>();
  for (const frame of frames) {
    const { kind, ordinal, seq, start, end } = frame;
    const pack = packs.get(ordinal);
    if (kind === KIND.exchange) {
      const grown = pack ?? emptyPack({ agent, epoch, ordinal, segment, start, openedAt: context.now, at: context.at });
      packs.set(ordinal, grown);
      extend(grown, { seq, bytes: frame.payload, span: undefined }, end);
    } else if (kind === KIND.note) {
      const note = JSON.parse(frame.payload.toString()) as PackNote;
      context.losses.set(epoch, note.dropped);
      if (pack) pack.note = note;
    } else if (kind === KIND.done) packs.delete(ordinal);
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
  if (!exchange || exchange.head.versionSource === 'url') return [];
  const { seq, version, versionSource: source } = exchange.head;
  return [{ seq, startedAt: Number.NEGATIVE_INFINITY, endedAt: Number.NEGATIVE_INFINITY, version, source }];
}
