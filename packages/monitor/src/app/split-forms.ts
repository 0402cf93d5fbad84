import type { Exchange, ModelVersion } from '@fairway/core';
import { allowance } from './allowance.ts';
import { type Form, formOf, marked, readForm } from './form.ts';
import type { Answered, SplitRecord } from './rows-record.ts';
import type { RowView } from './rows-view.ts';

/**
 * Forms of the predict calls that were read before: a body of the same form is not parsed. Kept for all packs: V8 makes a
 * pattern fast when it has been used for a while.
 */
export type Forms = {
  /** The instances of an exchange whose bodies have a known form; undefined: it has to be read. */
  read(exchange: Exchange, known: ModelVersion | undefined): readonly Answered[] | undefined;
  /** Learns from an exchange that was split; `split` does it again, with other bodies. */
  learn(exchange: Exchange, known: ModelVersion | undefined, split: (marked: Exchange) => Records): void;
};

type Records = readonly SplitRecord[] | undefined;

type Call = Readonly<Record<'request' | 'response', Form>>;
type Known = { readonly known: ModelVersion | undefined };

/** Larger bodies hold tensors or many instances, and no pattern is that long. */
const MOST_BYTES = 16 * 1024;
/** Of one target and version; what has more looks than this is read as if it had none. */
const MOST_FORMS = 4;
/** Targets and versions whose forms are kept, those that were met last. */
const MOST_TARGETS = 64;
/** A form costs as much as some hundred calls: beyond the first ones, one is learnt for each so many. */
const CALLS_FOR_ONE = 1000;
const PREDICT = /:predict$/i;

type Target = Known & { readonly calls: Call[]; readonly learning: ReturnType<typeof allowance> };

export function learningForms(): Forms {
  const targets = new Map<string, Target>();
  let last: readonly [name: string, target: Target] | undefined;
  const targetOf = (name: string, known: ModelVersion | undefined): Target => {
    if (last?.[0] === name && last[1].known === known) return last[1];
    const kept = targets.get(name);
    const target =
      kept !== undefined && kept.known === known
        ? kept
        : { known, calls: [], learning: allowance(MOST_FORMS, CALLS_FOR_ONE) };
    targets.delete(name);
    targets.set(name, target);
    if (targets.size > MOST_TARGETS) targets.delete(targets.keys().next().value as string);
    last = [name, target];
    return target;
  };
  return {
    read: (exchange, known) => {
      if (!isPlain(exchange)) return undefined;
      const { calls, learning } = targetOf(nameOf(exchange), known);
      learning.tick();
      if (calls.length === 0) return undefined;
      const [request, response] = [textOf(exchange.request), textOf(exchange.response)];
      for (const [place, call] of calls.entries()) {
        const asked = readForm(call.request, request);
        const answered = asked && readForm(call.response, response);
        if (!answered) continue;
        if (place > 0) calls.unshift(...calls.splice(place, 1));
        return asked.map((inputs, index) => [inputs, answered[index] as RowView]);
      }
      return undefined;
    },
    learn: (exchange, known, split) => {
      if (!PREDICT.test(exchange.head.target) || !isPlain(exchange)) return;
      const { calls, learning } = targetOf(nameOf(exchange), known);
      const call = learning.take() ? callOf(exchange, split) : undefined;
      if (call !== undefined && calls.unshift(call) > MOST_FORMS) calls.pop();
    },
  };
}

/** One target may lead to several versions in turns. */
const nameOf = ({ head }: Exchange): string => `${head.target} ${head.model} ${head.version}`;

/** Uncompressed REST, and not large. */
const isPlain = ({ head, request, response }: Exchange): boolean =>
  head.protocol === undefined &&
  head.requestEncoding === undefined &&
  request.length <= MOST_BYTES &&
  response.length <= MOST_BYTES;

/** One character for each byte. */
const textOf = (bytes: Uint8Array): string =>
  (bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)).toString('latin1');

function callOf(exchange: Exchange, split: (marked: Exchange) => Records): Call | undefined {
  const [asked, answered] = [marked(textOf(exchange.request)), marked(textOf(exchange.response))];
  if (asked === undefined || answered === undefined) return undefined;
  const records = split({ ...exchange, request: asked.body, response: answered.body }) ?? [];
  const request = formOf(
    asked,
    records.map(({ inputs, view }) => ({ row: inputs, view: view.inputs })),
  );
  const response = formOf(
    answered,
    records.map(({ outputs, view }) => ({ row: outputs, view: view.outputs })),
  );
  return request && response && { request, response };
}
