import { FairwayError } from '@fairway/core';
import { z } from 'zod';
import type { GivenLabel } from '../app/labels-aim.ts';
import type { Refusal } from '../app/labels.ts';
import { LARGEST_NUMBER } from '../metrics/sums.ts';

const LONGEST_ID = 300;
const name = (what: string) =>
  z
    .string(`${what} must be text`)
    .min(1, `${what} must not be empty`)
    .max(LONGEST_ID, `${what} must have at most ${LONGEST_ID} characters`)
    .refine(hasNoNul, `${what} must not hold the character NUL`);

const groundTruth = z
  .object({
    id: name('id').optional(),
    correlationId: name('correlationId').optional(),
    label: z
      .union(
        [z.number(), z.string().trim().min(1)],
        'label must be 0 or 1, a number where the model predicts one, or a class where it predicts one of several',
      )
      .refine(
        (label) => typeof label === 'string' || Math.abs(label) <= LARGEST_NUMBER,
        'label is too large: at most 1e50',
      )
      .refine(
        (label) => typeof label === 'number' || label.length <= LONGEST_ID,
        `label must have at most ${LONGEST_ID} characters`,
      )
      .refine((label) => typeof label === 'number' || hasNoNul(label), 'label must not hold the character NUL'),
    observedAt: z.iso
      .datetime({ offset: true, error: 'observedAt must be an RFC 3339 time' })
      .refine((time) => !time.startsWith('0000'), 'observedAt must not lie in the year 0')
      .nullish(),
  })
  .refine(({ id, correlationId }) => (id === undefined) !== (correlationId === undefined), {
    error: 'give id or correlationId, one of them',
  });

/** PostgreSQL keeps no NUL in text, and has no year 0: either would fail all labels of its batch. */
function hasNoNul(text: string): boolean {
  return !text.includes('\0');
}

/** One label as JSON. Throws `input.invalid` with the reason. */
export function parseLabel(body: unknown): GivenLabel {
  const read = readLabel(body);
  if ('reason' in read) throw new FairwayError('input.invalid', `The label cannot be used: ${read.reason}.`);
  return read;
}

/** A label, or why it is none; `line` names it where it has no id. */
export function readLabel(value: unknown, line?: number): GivenLabel | Refusal {
  const result = groundTruth.safeParse(value);
  if (!result.success) {
    const { id, correlationId } = (value ?? {}) as { id?: unknown; correlationId?: unknown };
    const known = [id, correlationId].find((each) => typeof each === 'string' && each !== '') as string | undefined;
    return refusal(known, line, result.error.issues[0]?.message ?? 'this is no label');
  }
  const { id, correlationId, label, observedAt } = result.data;
  return {
    id: id ?? correlationId ?? '',
    label,
    ...(observedAt === undefined || observedAt === null ? {} : { observedAt }),
    ...(correlationId === undefined ? {} : { by: 'correlation' as const }),
  };
}

export const refusal = (id: string | undefined, line: number | undefined, reason: string): Refusal => ({
  id: id?.slice(0, LONGEST_ID) ?? `line ${line ?? 1}`,
  reason,
});
