import type { ModelVersion, Target } from '@fairway/core';
import type { Json, JsonObject } from './read-json.ts';
import { type Cells, isList, isObject, type Pair } from './rows.ts';

/**
 * The examples of a classify or regress exchange with their `context` and results (capture reference §2.2), or the reason
 * why there are none, as of {@link predictPairs}. What the outputs are called: docs/contracts.md, "Records".
 */
export function examplePairs(
  method: 'classify' | 'regress',
  request: JsonObject,
  response: JsonObject,
  known: ModelVersion | undefined,
): readonly Pair[] | string {
  const { examples, context } = request;
  const { results } = response;
  if (examples === undefined || results === undefined || !isList(examples) || !isList(results)) return 'no_predictions';
  if (examples.length !== results.length) return 'lengths_differ';
  const shared = context !== undefined && isObject(context) ? context : undefined;
  const name = method === 'classify' ? classes : value;
  return examples.map((example, index) => [withContext(shared, example), name(results[index] as Json, known?.target)]);
}

function withContext(shared: Cells | undefined, example: Json): Cells {
  const own = isObject(example) ? example : { example };
  return shared === undefined ? own : { ...shared, ...own };
}

type Score = readonly [label: string, score: Json];

/** A score by its label; the event's under the name that the registry gave it; the best label as the class. */
function classes(result: Json, target: Target | undefined): Cells {
  const scores = isList(result) ? result.flatMap(scoreOf) : [];
  const best = bestOf(scores);
  const event = target === undefined ? undefined : scores.find(([label]) => label === target.event);
  return {
    ...(best === undefined ? {} : { [target?.classification ?? 'label']: best }),
    ...(target === undefined || event === undefined ? {} : { [target.probability]: event[1] }),
    ...Object.fromEntries(scores),
  };
}

/** A model without class names answers `""` for each: then the position is the class. */
function scoreOf(pair: Json, position: number): Score[] {
  if (!isList(pair)) return [];
  const [label, score] = pair;
  return typeof label === 'string' && score !== undefined ? [[label === '' ? String(position) : label, score]] : [];
}

function bestOf(scores: readonly Score[]): string | undefined {
  let best: readonly [label: string, score: number] | undefined;
  for (const [label, score] of scores) {
    if (typeof score === 'number' && (best === undefined || score > best[1])) best = [label, score];
  }
  return best?.[0];
}

const value = (result: Json, target: Target | undefined): Cells => ({
  ...(target === undefined ? {} : { [target.probability]: result }),
  value: result,
});
