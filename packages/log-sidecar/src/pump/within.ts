import { FairwayError } from '@fairway/core';

/** The promise, or `queue.unavailable` with the sentence when it takes longer than `ms`. */
export async function within<T>(ms: number, promise: Promise<T>, sentence: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new FairwayError('queue.unavailable', sentence)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
