import type { ChangeKind, Phase } from '@fairway/core';
import type { Step } from '../step.ts';
import { awaitMerge } from './await-merge.ts';
import { awaitSync } from './await-sync.ts';
import { build } from './build.ts';
import { propose } from './propose.ts';
import { validate } from './validate.ts';
import { verify } from './verify.ts';
import { verifyTraining } from './verify-training.ts';

type Steps = Partial<Record<Phase, Step>>;

/** Which step carries a change out of which phase. To add a step: its file and one entry here. */
export const STEPS: Partial<Record<ChangeKind, Steps>> = {
  deploy: {
    requested: validate,
    validated: build,
    built: propose,
    proposed: awaitMerge,
    merged: awaitSync,
    syncing: awaitSync,
    verifying: verify,
  },
  retrain: {
    requested: propose,
    built: propose,
    proposed: awaitMerge,
    merged: awaitSync,
    syncing: awaitSync,
    verifying: verifyTraining,
  },
};
