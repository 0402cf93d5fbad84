import { hashFields, type Logger } from '@fairway/core';
import { type Beginning, type BeginningRules, readBeginning } from './beginning.ts';
import type { Checkpoint, Checkpoints } from './checkpoints.ts';
import type { TailCounts } from './counts.ts';
import { findFiles, foldersOf, type FoundFile } from './find.ts';
import {
  before,
  besideLost,
  holds,
  type Incarnation,
  incarnation,
  isLive,
  LOOKOUT_SCANS,
  recognise,
} from './incarnation.ts';
import { type ByteSource, openSource, printBefore } from './source.ts';
import { headerProblem } from './table.ts';

export type TrackerRules = BeginningRules & {
  readonly patterns: readonly string[];
  /** Rows wait so long for others to share a pack, ms. */
  readonly flushMs: number;
  /** A deleted file is left when nothing was written to it for so long, ms. */
  readonly lingerMs: number;
  readonly mostOpen: number;
};

export type TrackerParts = {
  readonly checkpoints: Checkpoints;
  readonly counts: TailCounts;
  readonly log: Logger;
  /** ms that only grow. */
  monotonic(): number;
};

type Complete = Extract<Beginning, { kind: 'complete' }>;

/** So much is read at once, without waiting for more. */
const BACKLOG_BYTES = 1024 * 1024;
/** Checkpoints of files that are gone: by them their compressed copies are known. */
const MOST_GONE = 1000;

/** Which files there are, and which of them are which: the bookkeeping of a tail, without what is in them. */
export class Tracker {
  incarnations: Incarnation[] = [];
  private readonly rules: TrackerRules;
  private readonly parts: TrackerParts;
  /** Files whose beginning is not complete, open so that they are not lost when they are renamed. */
  private readonly nascent = new Map<string, { file: FoundFile; source: ByteSource }>();
  /** What needs no second look while its stamp stays: archives, old copies. */
  private readonly settled = new Map<string, string>();
  /** Files that could not be opened. */
  private readonly closed = new Set<string>();

  constructor(rules: TrackerRules, parts: TrackerParts) {
    this.rules = rules;
    this.parts = parts;
  }

  async load(): Promise<void> {
    this.incarnations = (await this.parts.checkpoints.load()).map((checkpoint) => incarnation(checkpoint, true));
  }

  /** Looks at all files once: known ones are found again, new ones recognised or begun. Answers the folders to watch. */
  async scan(): Promise<string[]> {
    const found = new Map((await findFiles(this.rules.patterns)).map((file) => [file.key, file]));
    for (const one of this.incarnations) await this.locate(one, found);
    for (const file of found.values()) await this.meet(file, false);
    for (const file of await besideLost(this.incarnations)) if (!found.has(file.key)) await this.meet(file, true);
    for (const { file } of this.nascent.values()) if (!found.has(file.key)) await this.orphaned(file);
    for (const key of this.settled.keys()) if (!found.has(key)) this.settled.delete(key);
    await this.forgetOldest();
    await this.closeIdle();
    return foldersOf(this.rules.patterns);
  }

  /** The open file of an incarnation; undefined when no name leads to it any more or it cannot be opened. */
  async open(one: Incarnation): Promise<ByteSource | undefined> {
    one.usedAt = this.parts.monotonic();
    if (one.source !== undefined) return one.source;
    if (one.file === undefined) return undefined;
    const source = await this.tryOpen(one.file);
    if (source !== undefined) one.source = source;
    return source;
  }

  /** Looks whether the file still holds what was read of it; if not, its incarnation ends. */
  async verify(one: Incarnation): Promise<ByteSource | undefined> {
    const source = await this.open(one);
    if (source === undefined) return undefined;
    if (await holds(source, one.checkpoint)) return source;
    await this.end(one, 'truncated');
    return undefined;
  }

  async end(one: Incarnation, ended: 'truncated' | 'gone'): Promise<void> {
    const { checkpoint, source } = one;
    one.checkpoint = { ...checkpoint, ended };
    one.file = undefined;
    one.source = undefined;
    one.due = Number.POSITIVE_INFINITY;
    one.behindSince = undefined;
    one.missed = 0;
    await source?.close();
    if (ended === 'truncated') {
      this.parts.counts.truncations++;
      this.parts.log.info(
        { file: checkpoint.path, offset: checkpoint.offset },
        'tailed file was truncated or replaced',
      );
    }
    if (one.isSaved) await this.parts.checkpoints.save(one.checkpoint);
  }

  /** What the incarnation knows changes only when it is on disk. */
  async save(one: Incarnation, checkpoint: Checkpoint): Promise<void> {
    await this.parts.checkpoints.save(checkpoint);
    one.checkpoint = checkpoint;
    one.isSaved = true;
  }

  async close(): Promise<void> {
    for (const { source } of [...this.incarnations, ...this.nascent.values()]) await source?.close();
  }

  private async locate(one: Incarnation, found: Map<string, FoundFile>): Promise<void> {
    if (one.checkpoint.ended !== undefined) {
      one.missed++;
      return;
    }
    const file = found.get(one.checkpoint.key);
    if (file === undefined) return this.lostSight(one);
    if (one.file?.stamp !== file.stamp) {
      one.file = file;
      if ((await this.verify(one)) === undefined && one.checkpoint.ended !== undefined) return;
    }
    found.delete(file.key);
    one.file = file;
    one.missed = 0;
    one.checkpoint = { ...one.checkpoint, path: file.path };
    this.noticed(one, file);
  }

  private async lostSight(one: Incarnation): Promise<void> {
    one.file = undefined;
    const facts = await one.source?.facts();
    if (facts === undefined) {
      one.missed++;
      return;
    }
    this.noticed(one, facts);
    const isIdle = this.parts.monotonic() - one.changedAt >= this.rules.lingerMs;
    if (facts.links > 0 || !isIdle || facts.stamp !== one.tried) return;
    one.isLast = true;
    one.due = this.parts.monotonic();
  }

  private noticed(one: Incarnation, facts: { readonly stamp: string; readonly size: number }): void {
    if (facts.stamp === one.tried) return;
    const now = this.parts.monotonic();
    const behind = facts.size - one.checkpoint.offset;
    one.size = facts.size;
    one.changedAt = now;
    one.behindSince ??= now;
    one.due = Math.min(one.due, behind >= BACKLOG_BYTES ? now : now + this.rules.flushMs);
  }

  /** A file that no incarnation is known to be in. `onlyKnown`: the patterns do not lead to it. */
  private async meet(file: FoundFile, onlyKnown: boolean): Promise<void> {
    if (this.settled.get(file.key) === file.stamp) return;
    const held = this.nascent.get(file.key);
    const source = held?.source ?? (await this.tryOpen(file));
    if (source === undefined) return;
    let isKept = false;
    try {
      isKept = await this.settle(file, source, onlyKnown);
    } catch (error) {
      this.parts.log.warn({ file: file.path, reason: (error as Error).message }, 'tailed file cannot be read');
      this.settled.set(file.key, file.stamp);
    }
    if (isKept) return;
    this.nascent.delete(file.key);
    await source.close();
  }

  /** Decides what a file is; answers whether it stays open. */
  private async settle(file: FoundFile, source: ByteSource, onlyKnown: boolean): Promise<boolean> {
    const beginning = await readBeginning(source, this.rules, before(file, this.incarnations));
    if (beginning.kind === 'incomplete') {
      if (onlyKnown || this.nascent.size > this.rules.mostOpen) return false;
      this.nascent.set(file.key, { file, source });
      return true;
    }
    if (beginning.kind === 'foreign') {
      this.foreign(file, beginning.what);
      return false;
    }
    const found = { file, source, head: beginning.head };
    const recognised = await recognise(found, this.incarnations, (one) => this.verify(one));
    if (recognised.kind === 'old') this.settled.set(file.key, file.stamp);
    if (recognised.kind === 'same') return this.resume(recognised.of, file, source);
    if (recognised.kind !== 'new' || onlyKnown) return false;
    await this.begin(file, source, beginning);
    return true;
  }

  private async resume(one: Incarnation, file: FoundFile, source: ByteSource): Promise<boolean> {
    this.nascent.delete(file.key);
    await one.source?.close();
    const { ended: _, ...rest } = one.checkpoint;
    one.checkpoint = { ...rest, key: file.key, path: file.path };
    if (one.isSaved) await this.parts.checkpoints.save(one.checkpoint);
    Object.assign(one, { file, source, tried: undefined, missed: 0, isLast: false });
    this.noticed(one, file);
    return true;
  }

  private async begin(file: FoundFile, source: ByteSource, { head, layout, offset }: Complete): Promise<void> {
    this.nascent.delete(file.key);
    const { mapping } = this.rules;
    const birth = hashFields(['tail-1', mapping.model, mapping.environment, file.key, head.print]);
    // The same beginning in the same place once more is another incarnation.
    const generation = this.incarnations.filter(({ checkpoint }) => checkpoint.birth === birth).length;
    const epoch = hashFields([birth, String(generation)]).slice(0, 32);
    const print = (await printBefore(source, offset)) ?? '';
    const place = {
      born: file.key,
      key: file.key,
      path: file.path,
      head,
      ...layout,
      offset,
      seq: 0,
      print,
      dropped: {},
    };
    const one = incarnation({ v: 1, epoch, birth, ...place }, false);
    one.file = file;
    one.source = source;
    this.incarnations.push(one);
    this.noticed(one, file);
    const problem = layout.columns === null ? undefined : headerProblem(layout.columns, mapping);
    if (problem === undefined) this.parts.log.info({ file: file.path }, 'tailing');
    else this.parts.log.error({ file: file.path, reason: problem }, 'no row of this file can be used');
  }

  /** A file that lost its name before its beginning was complete: it may be complete now. */
  private async orphaned(file: FoundFile): Promise<void> {
    const held = this.nascent.get(file.key);
    const facts = await held?.source.facts();
    if (held === undefined || facts === undefined) return;
    await this.meet({ ...held.file, ...facts }, false);
    if (!this.nascent.has(file.key) || facts.links > 0) return;
    this.nascent.delete(file.key);
    await held.source.close();
    if (facts.size > 0) this.parts.counts.missingBytes += facts.size;
  }

  private foreign(file: FoundFile, what: string): void {
    this.settled.set(file.key, file.stamp);
    this.parts.counts.foreignFiles++;
    this.parts.log.error({ file: file.path, reason: `it is ${what}` }, 'this file cannot be tailed');
  }

  private async tryOpen(file: FoundFile): Promise<ByteSource | undefined> {
    try {
      const source = await openSource(file.path);
      if ((await source.facts()).key === file.key) return source;
      await source.close();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && !this.closed.has(file.key)) {
        this.parts.log.warn({ file: file.path, reason: code ?? 'unknown' }, 'tailed file cannot be opened');
      }
      this.closed.add(file.key);
    }
    return undefined;
  }

  /** Closes those that were not used for the longest time and have nothing more to read. */
  private async closeIdle(): Promise<void> {
    const open = this.incarnations.filter(({ source }) => source !== undefined);
    const idle = open.filter(({ file, tried }) => file !== undefined && file.stamp === tried);
    const closing = idle.sort((a, b) => a.usedAt - b.usedAt).slice(0, Math.max(0, open.length - this.rules.mostOpen));
    for (const one of closing) {
      const { source } = one;
      one.source = undefined;
      await source?.close();
    }
  }

  private async forgetOldest(): Promise<void> {
    const gone = this.incarnations.filter((one) => !isLive(one) && one.missed > LOOKOUT_SCANS);
    for (const one of gone.slice(0, Math.max(0, gone.length - MOST_GONE))) {
      this.parts.counts.missingBytes += Math.max(0, one.size - one.checkpoint.offset);
      await this.parts.checkpoints.remove(one.checkpoint);
      this.incarnations.splice(this.incarnations.indexOf(one), 1);
    }
  }
}
