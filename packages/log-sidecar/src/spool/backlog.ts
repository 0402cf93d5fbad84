import type { DropReason, Mark, SpooledPack } from '../ports.ts';
import { bump, type Tally } from '../tally.ts';
import { heldOf, type StoredPack } from './pack.ts';
import type { Pieces } from './pieces.ts';
import type { Segment } from './segment.ts';

/**
 * The closed packs that the queue has not taken, oldest first, and which of them are given up for want of room or for their age. Only those
 * of the epoch that is under way are: nothing but its marks can still tell of a loss. Nor is the pack that was offered last, for the queue
 * may have it already.
 */
export class Backlog {
  packs: readonly StoredPack[] = [];
  /** Of exchanges on the disk that are kept in memory too. */
  keptBytes = 0;
  private waiting: readonly StoredPack[] = [];
  private offered: StoredPack | undefined;
  /** Counted as lost already; they go when a mark on the disk says so, or a kill would leave them neither here nor counted. */
  private gone: StoredPack[] = [];
  private readonly epoch: string;
  private readonly pieces: Pieces;
  private readonly tally: Tally;

  constructor(epoch: string, pieces: Pieces, tally: Tally) {
    this.epoch = epoch;
    this.pieces = pieces;
    this.tally = tally;
  }

  add(...packs: readonly StoredPack[]): void {
    this.packs = [...this.packs, ...packs];
    this.waiting = [...this.waiting, ...packs.filter(({ note }) => note === undefined)];
  }

  unsettled(): readonly StoredPack[] {
    return this.waiting;
  }

  settle(pack: StoredPack): void {
    this.waiting = this.waiting.filter((other) => other !== pack);
    pack.spans = this.pieces.giveSpans(pack.spans);
  }

  next(): SpooledPack | undefined {
    const [pack] = this.packs;
    this.offered = pack?.ready ? pack : undefined;
    return this.offered;
  }

  /** false: it was not there any more. */
  remove(pack: StoredPack): boolean {
    if (!this.packs.includes(pack)) return false;
    this.packs = this.packs.filter((other) => other !== pack);
    if (pack.segment) this.unkeep(pack);
    return true;
  }

  /** Gives up the packs of the oldest segment that is not `written` to, so that its room comes back with the next mark. */
  makeRoom(written: ReadonlyArray<Segment | undefined>): boolean {
    if (this.gone.length > 0) return true;
    const spared = [undefined, this.offered?.segment, ...written];
    const oldest = this.packs.find(({ epoch, segment }) => epoch === this.epoch && !spared.includes(segment));
    if (!oldest) return false;
    this.giveUp((pack) => pack.segment === oldest.segment, 'spool_full');
    return true;
  }

  /** Gives up packs on the disk that began before that, monotonic ms. */
  expire(before: number): void {
    const isExpired = (pack: StoredPack) =>
      pack.openedAt < before && pack.epoch === this.epoch && pack.segment !== undefined && pack !== this.offered;
    if (this.packs.some(isExpired)) this.giveUp(isExpired, 'spool_expired');
  }

  /** The mark, with what of it only the spool knows. */
  told(mark: Mark, open: StoredPack | undefined): Mark {
    const gone = this.gone.map(({ ordinal }) => ordinal);
    return { ...mark, ...heldOf(this.packs, open), ...(gone.length === 0 ? {} : { gone }) };
  }

  /** A mark on the disk says of these that they are gone. */
  buried(): readonly StoredPack[] {
    return this.gone.splice(0);
  }

  private giveUp(isLost: (pack: StoredPack) => boolean, reason: DropReason): void {
    for (const pack of this.packs.filter(isLost)) {
      bump(this.tally.dropped, reason, pack.exchanges);
      this.remove(pack);
      if (!pack.note) this.settle(pack);
      this.gone.push(pack);
    }
  }

  private unkeep(pack: StoredPack): void {
    if (pack.kept) this.keptBytes -= pack.bytes;
    for (const piece of pack.kept ?? []) this.pieces.give(piece);
    pack.kept = undefined;
  }
}
