import { type Exchange, type ExchangeHead, type ModelVersion, SeenTexts } from '@fairway/core';
import { allowance } from './allowance.ts';
import { type Form, formOf, marked, readForm } from './form.ts';
import { Framed } from './frames.ts';
import type { Answered, SplitRecord } from './rows-record.ts';
import type { RowView } from './rows-view.ts';
import { TextWriter } from './text-writer.ts';
import { type Place, placeOf } from './viewed.ts';

/** Forms of the predict calls that were read before: a body of the same form is not parsed. Kept for all packs. */
export type Forms = {
  /** The instances of an exchange whose bodies have a known form; undefined: it has to be read. */
  read(exchange: Exchange, known: ModelVersion | undefined): readonly Answered[] | undefined;
  /** Learns from an exchange that was split; `split` does it again, with other bodies. */
  learn(exchange: Exchange, known: ModelVersion | undefined, split: (marked: Exchange) => Records): void;
};

type Records = readonly SplitRecord[] | undefined;

type Call = Readonly<Record<'request' | 'response', Form>>;
type Known = { readonly known: ModelVersion | undefined };

/** Larger bodies hold tensors or many instances. */
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
  const tools = { seen: new SeenTexts(), writer: new TextWriter() };
  let last: readonly [head: ExchangeHead, target: Target] | undefined;
  const targetOf = ({ head }: Exchange, known: ModelVersion | undefined): Target => {
    if (last !== undefined && isSame(last[0], head) && last[1].known === known) return last[1];
    const name = nameOf(head);
    const kept = targets.get(name);
    const target =
      kept !== undefined && kept.known === known
        ? kept
        : { known, calls: [], learning: allowance(MOST_FORMS, CALLS_FOR_ONE) };
    targets.delete(name);
    targets.set(name, target);
    if (targets.size > MOST_TARGETS) targets.delete(targets.keys().next().value as string);
    last = [head, target];
    return target;
  };
  return {
    read: (exchange, known) => {
      const [request, response] = placesOf(exchange);
      if (!isPlain(exchange, request, response)) return undefined;
      const { calls, learning } = targetOf(exchange, known);
      learning.tick();
      for (let place = 0; place < calls.length; place++) {
        const call = calls[place] as Call;
        const asked = readForm(call.request, request, tools);
        const answered = asked && readForm(call.response, response, tools);
        if (!answered) continue;
        if (place > 0) calls.unshift(...calls.splice(place, 1));
        return asked.map((inputs, index) => [inputs, answered[index] as RowView]);
      }
      return undefined;
    },
    learn: (exchange, known, split) => {
      if (!PREDICT.test(exchange.head.target) || !isPlain(exchange, ...placesOf(exchange))) return;
      const { calls, learning } = targetOf(exchange, known);
      const call = learning.take() ? callOf(exchange, split) : undefined;
      if (call !== undefined && calls.unshift(call) > MOST_FORMS) calls.pop();
    },
  };
}

/** One target may lead to several versions in turns. */
const nameOf = ({ target, model, version }: ExchangeHead): string => `${target} ${model} ${version}`;

const isSame = (a: ExchangeHead, b: ExchangeHead): boolean =>
  a.target === b.target && a.model === b.model && a.version === b.version;

/** Uncompressed REST, and not large. */
const isPlain = ({ head }: Exchange, ...bodies: readonly Place[]): boolean =>
  head.protocol === undefined &&
  head.requestEncoding === undefined &&
  bodies.every(({ from, to }) => to - from <= MOST_BYTES);

const placesOf = (exchange: Exchange): readonly [request: Place, response: Place] =>
  exchange instanceof Framed
    ? [exchange.requestPlace(), exchange.responsePlace()]
    : [placeOf(exchange.request), placeOf(exchange.response)];

/** One character for each byte. */
const textOf = ({ bytes, from, to }: Place): string => bytes.toString('latin1', from, to);

function callOf(exchange: Exchange, split: (marked: Exchange) => Records): Call | undefined {
  const [asked, answered] = placesOf(exchange).map((place) => marked(textOf(place)));
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
