import type { LivenessState } from '@fairway/core';

/**
 * Why a merged change is not proven live. Each condition of the rule is a judgement of its own that answers an objection,
 * or undefined when it holds; a change is live when none of them objects.
 */
export type Objection = {
  readonly state: Exclude<LivenessState, 'live'>;
  /** A sentence that stays the same while the world does. */
  readonly reason: string;
  /** Argo CD's comparison is older than what we wait for: ask it to look again. */
  readonly stale?: true;
  /** It is the change's own failure, and waiting mends nothing. */
  readonly fails?: true;
  /** When it can hold at the earliest, in ms. */
  readonly retryAfterMs?: number;
};

/** Whole seconds, which is all that Argo CD keeps. NaN for what is no time. */
export const wholeSeconds = (time: string): number => Math.floor(Date.parse(time) / 1000);

export const short = (commit: string): string => commit.slice(0, 12);
