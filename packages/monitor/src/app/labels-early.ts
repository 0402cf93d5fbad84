import type { EarlyLabel, PredictionRow } from '../ports.ts';
import { isNameKey, truthOf } from './class-answer.ts';
import { isClass } from './labels.ts';

/** What an early label of these rows may have for a key: prediction ids, and ids of exchange or caller that only one row has. */
export function earlyKeys(predictions: readonly PredictionRow[]): string[] {
  const carriers = new Map<string, number>();
  for (const { exchange, correlationId } of predictions) {
    carriers.set(exchange, (carriers.get(exchange) ?? 0) + 1);
    if (correlationId !== null) carriers.set(correlationId, (carriers.get(correlationId) ?? 0) + 1);
  }
  const sole = [...carriers].filter(([, count]) => count === 1).map(([key]) => key);
  return [...predictions.map(({ id }) => id), ...sole];
}

/** The rows with the labels that waited for them. A number is no label of a row whose model knows 0 and 1: it stays without. */
export function withEarlyLabels(
  predictions: readonly PredictionRow[],
  early: readonly EarlyLabel[],
): readonly PredictionRow[] {
  if (early.length === 0) return predictions;
  const labels = new Map(early.map((label) => [label.key, label]));
  return predictions.map((row) => {
    const found = [row.id, row.exchange, row.correlationId ?? row.id].map((key) => labels.get(key)).find(Boolean);
    const label = found === undefined ? undefined : labelFor(row, found);
    return found === undefined || label === undefined ? row : { ...row, label, observedAt: found.observedAt };
  });
}

function labelFor({ isNumber, classes }: PredictionRow, { label, name }: EarlyLabel): number | undefined {
  if (classes !== undefined) return truthOf(classes, name ?? label, new Map([[name ?? '', label]]));
  return (isNumber && !isNameKey(label)) || isClass(label) ? label : undefined;
}
