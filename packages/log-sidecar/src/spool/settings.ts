import type { Logger } from '@fairway/core';
import type { AgentClock } from '../ports.ts';
import type { Tally } from '../tally.ts';
import type { Predecessor } from './recover.ts';

export type SpoolConfig = {
  readonly directory: string;
  readonly agent: string;
  readonly epoch: string;
  readonly model: string;
  /** Bytes of all segments together; at the cap the oldest packs are given up. */
  readonly diskCap: number;
  /** Bytes after which a segment takes no more; what is given up is at least one of them. */
  readonly segmentBytes: number;
  /** ms that a pack may wait for the queue. */
  readonly maxAge: number;
  /** Bytes held in memory while the disk takes nothing. */
  readonly memoryCap: number;
  /** fdatasync behind each commit; without it, what a power cut leaves is the system's choice. */
  readonly synced: boolean;
  /** The epoch of this process that ended before, and how many numbers it gave: exact, where its last mark only expects. */
  readonly predecessor?: Predecessor | undefined;
};

export type SpoolParts = {
  readonly clock: AgentClock;
  readonly tally: Tally;
  readonly log: Logger;
  /** A pack can be sent. */
  readonly onReady: () => void;
};
