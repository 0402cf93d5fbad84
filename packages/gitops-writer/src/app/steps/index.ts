import type { ChangeKind, Phase } from '@fairway/core';
import type { Step } from '../step.ts';
import { awaitGone } from './await-gone.ts';
import { awaitMerge } from './await-merge.ts';
import { awaitSync } from './await-sync.ts';
import { build } from './build.ts';
import { unlessGone, unlessHeldBack, unlessRetired, whileAsked, whileNeeded } from './guards.ts';
import { propose } from './propose.ts';
import { awaitRestore, verifyRestored } from './restore.ts';
import { verify } from './verify.ts';
import { verifyTraining } from './verify-training.ts';

type Steps = Partial<Record<Phase, Step>>;

/** Which step carries a change out of which phase. To add a step: its file and one entry here. */
export const STEPS: Record<ChangeKind, Steps> = {
  deploy: {
    requested: build,
    // Where a writer of the version before has left it.
    validated: build,
    built: unlessRetired(unlessHeldBack(propose)),
    proposed: unlessRetired(unlessHeldBack(awaitMerge)),
    merged: awaitSync,
    syncing: awaitSync,
    verifying: verify,
  },
  retrain: {
    requested: whileAsked(propose),
    built: whileAsked(propose),
    proposed: whileAsked(awaitMerge),
    merged: awaitSync,
    syncing: awaitSync,
    verifying: verifyTraining,
  },
  rollback: {
    requested: whileNeeded(propose),
    built: whileNeeded(propose),
    proposed: whileNeeded(awaitRestore),
    merged: awaitSync,
    syncing: awaitSync,
    verifying: verifyRestored,
  },
  retire: {
    requested: unlessGone(propose),
    built: unlessGone(propose),
    proposed: unlessGone(awaitMerge),
    merged: awaitGone,
    syncing: awaitGone,
    verifying: awaitGone,
  },
};
