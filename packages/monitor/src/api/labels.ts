import { FairwayError, type GroundTruth } from '@fairway/core';
import { z } from 'zod';
import type { Refusal } from '../app/labels.ts';

const MAX_LABELS = 10_000;

const groundTruth = z.object({
  id: z.string('id must be text').min(1, 'id must not be empty').max(300, 'id must have at most 300 characters'),
  label: z.union([z.literal(0), z.literal(1)], 'label must be 0 or 1'),
  observedAt: z.iso.datetime({ offset: true, error: 'observedAt must be an RFC 3339 time' }).optional(),
});

/** One label as JSON. Throws `input.invalid` with the reason. */
export function parseLabel(body: unknown): GroundTruth {
  const result = readLabel(body);
  if ('reason' in result) throw new FairwayError('input.invalid', `The label cannot be used: ${result.reason}.`);
  return result.label;
}

/** Labels as NDJSON: a line that cannot be used is refused with its reason, and the others still count. */
export function parseLabels(text: string): { labels: GroundTruth[]; refused: Refusal[] } {
  const lines = text.split('\n');
  if (lines.length > MAX_LABELS + 1) {
    throw new FairwayError('input.invalid', `One request takes at most ${MAX_LABELS} labels; send them in parts.`);
  }
  const labels: GroundTruth[] = [];
  const refused: Refusal[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const result = readLine(line);
    if ('label' in result) labels.push(result.label);
    else refused.push({ id: result.id ?? `line ${index + 1}`, reason: result.reason });
  }
  return { labels, refused };
}

type Read = { readonly label: GroundTruth } | { readonly reason: string; readonly id?: string };

function readLine(line: string): Read {
  try {
    return readLabel(JSON.parse(line));
  } catch {
    return { reason: 'this line is no JSON' };
  }
}

function readLabel(value: unknown): Read {
  const result = groundTruth.safeParse(value);
  if (result.success) {
    const { id, label, observedAt } = result.data;
    return { label: { id, label, ...(observedAt === undefined ? {} : { observedAt }) } };
  }
  const id = (value as { id?: unknown } | null)?.id;
  const reason = result.error.issues[0]?.message ?? 'this is no label';
  return typeof id === 'string' && id !== '' ? { reason, id: id.slice(0, 300) } : { reason };
}
