import { deploy } from './stories/deploy.ts';
import { promotion } from './stories/promotion.ts';
import { rejection } from './stories/rejection.ts';
import { newerEvidence, recovery, retraining } from './stories/retraining.ts';
import { retirement } from './stories/retirement.ts';
import { rollback } from './stories/rollback.ts';
import { superseding } from './stories/superseding.ts';
import { wayBack } from './stories/way-back.ts';
import type { Story } from './story.ts';

/** What begins with an approval. To add a story of a change: its file and one entry here. */
export const APPROVED: readonly Story[] = [deploy, superseding, rejection, wayBack, promotion];

/** What somebody asks for: a person, or the monitor. */
export const REQUESTED: readonly Story[] = [rollback, retirement, retraining, newerEvidence, recovery];

/** Every kind of change, on each way that it can go. */
export const STORIES: readonly Story[] = [...APPROVED, ...REQUESTED];
