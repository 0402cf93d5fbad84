import { createHash } from 'node:crypto';

const RANGE = 2 ** 48;

/**
 * Whether the exchange of this id is in a sample of this probability. It follows from the id alone, so that a resend, a
 * second agent or an analyst decides the same; a smaller sample is a part of every larger one.
 */
export function isSampled(id: string, probability: number): boolean {
  if (probability >= 1) return true;
  // Ids begin with the time and are no random numbers; their hash is as good as one.
  return createHash('sha256').update(id).digest().readUIntBE(0, 6) / RANGE < probability;
}
