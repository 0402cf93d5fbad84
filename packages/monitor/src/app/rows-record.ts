import type { ExchangeHead, PredictionRecord } from '@fairway/core';
import { storable } from './read-json.ts';
import { type RowView, viewOf } from './rows-view.ts';
import type { Pair } from './rows.ts';

/** A prediction with the JSON text of its inputs and outputs for the queryable view. */
export type SplitRecord = PredictionRecord & { readonly view: { readonly inputs: string; readonly outputs: string } };

/** Inputs and outputs of one instance as they are recorded. */
export type Answered = readonly [inputs: RowView, outputs: RowView];

/** `sanitised` says of which side's text something was replaced. */
export const viewsOf = (
  pairs: readonly Pair[],
  sanitised: { readonly inputs: boolean; readonly outputs: boolean },
): Answered[] =>
  pairs.map(([inputs, outputs]) => [viewOf(inputs, sanitised.inputs), viewOf(outputs, sanitised.outputs)]);

/** The records of one exchange, one for each instance. */
export function recordsOf(head: ExchangeHead, instances: readonly Answered[]): SplitRecord[] {
  const correlationId = head.correlationId === undefined ? undefined : storable(head.correlationId);
  return instances.map(([asked, answered], index) => {
    const record = {
      id: `${head.id}-${index}`,
      model: head.model,
      version: head.version,
      versionSource: head.versionSource,
      environment: head.environment,
      time: head.time,
      inputs: asked.row,
      outputs: answered.row,
      latencyMs: head.latencyMs,
      status: head.status,
      view: { inputs: asked.view, outputs: answered.view },
    };
    return correlationId === undefined ? record : { ...record, correlationId };
  });
}
