import { hashFields } from '@fairway/core';
import type { Loan } from './columns.ts';
import { INPUTS } from './columns.ts';

const BUCKETS = 10;

/**
 * Bucket 0 to 9 of a loan, by the hash of its inputs: the same loan falls on the same side of every split, whatever
 * its position, and a loan that is scored twice is never on both. Numbers count to 6 digits, because files of one
 * origin differ beyond that.
 */
export function bucketOf(loan: Loan): number {
  const fields = INPUTS.map((name) => {
    const value = loan[name];
    return typeof value === 'number' ? value.toPrecision(6) : (value ?? '');
  });
  return Number.parseInt(hashFields(fields).slice(0, 8), 16) % BUCKETS;
}

/** Buckets 0 and 1: never trained on, what performance is measured on. */
export const isHeldOut = (loan: Loan): boolean => bucketOf(loan) < 2;
/** Bucket 2 of a retraining: chooses between candidates. */
export const isValidation = (loan: Loan): boolean => bucketOf(loan) === 2;
