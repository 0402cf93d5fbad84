import type { Baseline } from '@fairway/core';
import type { WindowCounts } from './judging.ts';
import type { PolicyFile } from './writer.ts';

/** All that a verdict was made from. Counts, baseline and policy are hashes (sha256, hex) of `parts`, their texts. */
export type KeptEvidence = {
  readonly counts: string;
  /** Of the earlier windows that were looked at, newest first. */
  readonly earlier: readonly string[];
  readonly baseline: string | null;
  readonly policy: string;
  readonly blob: string;
  /** How it was judged (app/judging.ts). */
  readonly judging: number;
  readonly parts: ReadonlyMap<string, string>;
};

/** A verdict, its canonical JSON, with what it was made from. */
export type StoredEvidence = {
  readonly verdict: string;
  readonly counts: WindowCounts;
  readonly earlier: readonly WindowCounts[];
  readonly baseline: Baseline | null;
  readonly policy: PolicyFile;
  /** null: before it was kept. */
  readonly judging?: number | null;
};

export type EvidenceStore = {
  /** undefined: there is no such verdict. `kept: false`: it was made before evidence was kept. */
  evidence(id: string): Promise<StoredEvidence | { readonly kept: false } | undefined>;
};
