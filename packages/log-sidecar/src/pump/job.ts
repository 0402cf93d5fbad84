import type { Pack } from '@fairway/core';
import type { JobsOptions } from 'bullmq';

export const JOB_NAME = 'pack';

/**
 * One job per pack under its deterministic id: while the job exists, a resend is ignored. The recorder completes or
 * quarantines every pack, so it is retried for as long as that takes.
 */
export const jobOptions = ({ packId }: Pack): JobsOptions => ({
  jobId: packId,
  removeOnComplete: true,
  attempts: 1_000_000,
  backoff: { type: 'fixed', delay: 2000, jitter: 0.5 },
});
