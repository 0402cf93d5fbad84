import type { ExchangeHead, PredictionRecord } from '@fairway/core';
import { storable } from './read-json.ts';
import { viewOf } from './rows-view.ts';
import type { Pair } from './rows.ts';

/** A prediction with the JSON text of its inputs and outputs for the queryable view. */
export type SplitRecord = PredictionRecord & { readonly view: { readonly inputs: string; readonly outputs: string } };

/** The records of one exchange, one for each pair; `sanitised` says of which side's text something was replaced. */
export function recordsOf(
  head: ExchangeHead,
  pairs: readonly Pair[],
  sanitised: { readonly inputs: boolean; readonly outputs: boolean },
): SplitRecord[] {
  const correlationId = head.correlationId === undefined ? undefined : storable(head.correlationId);
  return pairs.map(([inputs, outputs], index) => {
    const asked = viewOf(inputs, sanitised.inputs);
    const answered = viewOf(outputs, sanitised.outputs);
    return {
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
      ...(correlationId === undefined ? {} : { correlationId }),
      view: { inputs: asked.view, outputs: answered.view },
    };
  });
}
