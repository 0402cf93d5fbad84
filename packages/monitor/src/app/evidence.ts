import { canonicalJson, FairwayError, sha256 } from '@fairway/core';
import { parsePolicy } from '../policy/parse.ts';
import type { KeptEvidence, StoredEvidence } from '../ports/evidence.ts';
import type { PolicyFile } from '../ports.ts';
import { type Evidence, judge } from './judge.ts';
import { JUDGING, judgingsOf } from './judging.ts';

/**
 * What a verdict was made from, in parts that are kept once by the sha256 of their text: a baseline serves every verdict of its
 * version, and a window's counts serve the verdicts of later windows too.
 */
export function evidenceOf({ counts, earlier, baseline }: Evidence, policy: PolicyFile): KeptEvidence {
  const parts = new Map<string, string>();
  const put = (text: string): string => {
    const hash = sha256(text);
    parts.set(hash, text);
    return hash;
  };
  return {
    counts: put(canonicalJson(counts)),
    earlier: earlier.map((one) => put(canonicalJson(one))),
    baseline: baseline === undefined ? null : put(canonicalJson(baseline)),
    policy: put(policy.text),
    blob: policy.blob,
    judging: JUDGING,
    parts,
  };
}

export type Replay = {
  readonly id: string;
  readonly equal: boolean;
  /** Where the two differ, as `path: kept → made again`, in the order of the keys. */
  readonly differences: readonly string[];
  /** Canonical JSON of the verdict as it was kept, and as it comes out now. */
  readonly kept: string;
  readonly again: string;
};

/**
 * Makes a verdict again from its kept evidence alone: no clock, no database, no chance. Throws `input.invalid` for one that a later
 * program has judged.
 */
export function replay({ verdict, counts, earlier, baseline, policy, judging }: StoredEvidence): Replay {
  const { id, window } = JSON.parse(verdict) as { id: string; window: Evidence['window'] };
  const evidence = {
    window,
    counts,
    earlier,
    baseline: baseline ?? undefined,
    policy: parsePolicy(policy.text, window.model),
    blob: policy.blob,
  };
  // Before it was kept, any may have been used: the one that gives the bytes was.
  const made = judgingsOf(judging).map((one) => canonicalJson(judge(evidence, one)));
  const again = made.find((one) => one === verdict) ?? made[0];
  if (again === undefined) {
    throw new FairwayError(
      'input.invalid',
      `Verdict ${id} was judged by a later Fairway (judging ${judging}, this one knows up to ${JUDGING}): replay it with that one.`,
    );
  }
  const differences = again === verdict ? [] : [...differing('', JSON.parse(verdict), JSON.parse(again))];
  return { id, equal: again === verdict, differences, kept: verdict, again };
}

function* differing(path: string, kept: unknown, again: unknown): Generator<string> {
  if (canonicalJson(kept ?? null) === canonicalJson(again ?? null)) return;
  if (!isObject(kept) || !isObject(again)) {
    yield `${path}: ${shown(kept)} → ${shown(again)}`;
    return;
  }
  for (const key of [...new Set([...Object.keys(kept), ...Object.keys(again)])].sort()) {
    yield* differing(path === '' ? key : `${path}.${key}`, kept[key], again[key]);
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const shown = (value: unknown): string => (value === undefined ? 'nothing' : canonicalJson(value));
