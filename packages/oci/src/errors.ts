import { type Disposition, FairwayError } from '@fairway/core';

export const imageError = (sentence: string, disposition: Disposition = 'terminal', cause?: unknown): FairwayError =>
  new FairwayError('image.failed', sentence, { disposition, ...(cause === undefined ? {} : { cause }) });

/** What the disk said about an image, as a sentence. */
export function asImageError(error: unknown, place: string): FairwayError {
  if (error instanceof FairwayError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC')
    return new FairwayError('disk.full', `There is no space left in ${place} for the model image; free some.`);
  return imageError(`The model image could not be written to ${place}: ${message}`, 'retryable', error);
}
