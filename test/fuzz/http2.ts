import { constants, sensitiveHeaders } from 'node:http2';
import fc from 'fast-check';
import { type Conversation, record, type Script, type Step } from '../harness/grpc/conversation.ts';
import { bodyOf, pieces, type Replay, replay } from '../harness/grpc/replay.ts';
import { type Answer, ask, framed, PREDICT } from '../harness/grpc/unary.ts';
import { campaign } from './campaign.ts';
import { mutated, type Mutation, mutations } from './mutations.ts';

const PATHS = [
  PREDICT,
  PREDICT.replace('/Predict', '/Classify'),
  '/tensorflow.serving.PredictionService/GetModelMetadata',
];

type Call = {
  readonly path: string;
  readonly text: string;
  readonly time: string | undefined;
  readonly isSensitive: boolean;
  readonly body: Uint8Array;
  readonly pieces: number;
  readonly answer: 'message' | 'error' | 'reset' | 'no trailers' | 'http';
  readonly told: Uint8Array;
  /** It begins before the one before it has ended. */
  readonly isAtOnce: boolean;
};

type Case = {
  readonly calls: readonly Call[];
  readonly tables: readonly [client: number, server: number];
  readonly isPadded: boolean;
  readonly cut: number | undefined;
  /** What happens to one chunk on its way, by its share of all of them. */
  readonly damage: { readonly at: number; readonly changes: readonly Mutation[] } | undefined;
};

const LETTERS = Array.from({ length: 0x7e - 0x20 }, (_, i) => String.fromCharCode(0x21 + i));
const text = fc.array(fc.constantFrom(...LETTERS), { minLength: 1, maxLength: 60 }).map((letters) => letters.join(''));
const body = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  { weight: 1, arbitrary: fc.nat(40_000).map((length) => new Uint8Array(length).fill(7)) },
);
const call: fc.Arbitrary<Call> = fc.record({
  path: fc.constantFrom(...PATHS),
  text,
  time: fc.option(fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z', 'now'), { nil: undefined }),
  isSensitive: fc.boolean(),
  body,
  pieces: fc.integer({ min: 1, max: 4 }),
  answer: fc.oneof(
    { weight: 6, arbitrary: fc.constant('message' as const) },
    { weight: 1, arbitrary: fc.constantFrom('error', 'reset', 'no trailers', 'http') },
  ),
  told: body,
  isAtOnce: fc.boolean(),
});
const table = fc.constantFrom(0, 64, 4096, 65_536);

const cases: fc.Arbitrary<Case> = fc.record({
  calls: fc.array(call, { minLength: 1, maxLength: 5 }),
  tables: fc.tuple(table, table),
  isPadded: fc.boolean(),
  cut: fc.option(fc.constantFrom(1, 2, 7, 9, 64, 1000), { nil: undefined }),
  damage: fc.option(
    fc.record({ at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), changes: mutations }),
    {
      nil: undefined,
    },
  ),
});

const idOf = ({ text }: Call, index: number): string => `${index}:${text}`;

function scriptOf({ calls, tables, isPadded }: Case): Script {
  const padding = isPadded ? { paddingStrategy: constants.PADDING_STRATEGY_MAX } : {};
  return {
    client: { ...padding, settings: { headerTableSize: tables[0] } },
    server: { ...padding, settings: { headerTableSize: tables[1] } },
    answer: ({ headers }) => {
      const one = calls[Number.parseInt(String(headers['x-request-id']), 10)];
      return one === undefined ? { kind: 'error', status: 2 } : answerOf(one);
    },
    run: async (client) => {
      const running: Array<Promise<unknown>> = [];
      for (const [index, one] of calls.entries()) {
        if (!one.isAtOnce) await Promise.all(running);
        const headers = {
          'x-request-id': idOf(one, index),
          ...(one.time === undefined ? {} : { 'x-fairway-time': one.time }),
          [sensitiveHeaders]: one.isSensitive ? ['x-request-id'] : [],
        };
        running.push(ask(client, one.path, framed(one.body), { headers, pieces: one.pieces }).told);
      }
      await Promise.all(running);
    },
  };
}

function answerOf({ answer, told, pieces }: Call): Answer {
  switch (answer) {
    case 'message':
      return { kind: answer, body: framed(told), pieces };
    case 'error':
      return { kind: answer, status: 3 };
    case 'http':
      return { kind: answer, status: 502 };
    default:
      return { kind: answer };
  }
}

/** HTTP status, outcome and answer that are to be seen of a call. */
const SEEN: Readonly<Record<Call['answer'], readonly [status: number, outcome: string]>> = {
  message: [200, 'complete'],
  error: [400, 'complete'],
  http: [502, 'complete'],
  reset: [0, 'upstream_aborted'],
  'no trailers': [0, 'upstream_aborted'],
};

/** What of an undamaged conversation is not as node's client and server had it. */
function differs(
  { calls }: Case,
  { asked }: Conversation,
  { exchanges, missed, tally, idle }: Replay,
): string | undefined {
  const [given] = Object.keys(tally.unframed);
  if (given !== undefined) return `given up: ${given}`;
  if (missed > 0 || !idle) return `${missed} missed, ${idle ? '' : 'not '}idle`;
  const inferences = calls.flatMap((one, index) => (one.path === PATHS[2] ? [] : [{ one, index }]));
  if (exchanges.length !== inferences.length) return `${exchanges.length} of ${inferences.length} calls`;
  for (const { one, index } of inferences) {
    const ours = exchanges.find(({ correlationId }) => correlationId === idOf(one, index));
    const theirs = asked.find(({ headers }) => headers['x-request-id'] === idOf(one, index));
    if (ours === undefined || theirs === undefined) return `call ${index} is not there`;
    if (ours.target !== one.path || ours.eventTime !== one.time) return `call ${index} has other fields`;
    if (!bodyOf(ours.request).equals(theirs.body.subarray(5))) return `call ${index} has another request`;
    if (ours.status !== SEEN[one.answer][0] || ours.outcome !== SEEN[one.answer][1])
      return `call ${index} ended otherwise`;
    const told = one.answer === 'message' ? Buffer.from(one.told) : undefined;
    if (told && !bodyOf(ours.response).equals(told)) return `call ${index} has another answer`;
  }
  return undefined;
}

async function attempt(one: Case): Promise<string | undefined> {
  const conversation = await record(scriptOf(one));
  const { steps, changed } = damaged(conversation.steps, one.damage);
  const seen = replay(one.cut === undefined ? steps : steps.flatMap((step) => pieces(step, one.cut ?? 1)));
  const given = Object.values(seen.tally.unframed).reduce((sum, n) => sum + n, 0);
  if (given > 1) return 'given up more than once';
  const calls = seen.tally.requests.inference ?? 0;
  if (seen.exchanges.length + seen.missed !== calls) return `${calls} calls, but not as many captured and missed`;
  return changed ? undefined : differs(one, conversation, seen);
}

function damaged(steps: readonly Step[], damage: Case['damage']): { steps: readonly Step[]; changed: boolean } {
  const index = Math.floor((damage?.at ?? 0) * steps.length);
  const step = steps[index];
  if (damage === undefined || step === undefined) return { steps, changed: false };
  const bytes = mutated(step.bytes, damage.changes);
  return { steps: steps.with(index, { ...step, bytes }), changed: !bytes.equals(step.bytes) };
}

/** Calls of node's client to node's server come out as both had them, however they are cut; damage costs calls, never a byte. */
export const http2 = campaign('http2', {
  cases,
  capMs: 10_000,
  rssMb: 768,
  open: async () => ({ attempt, close: async () => {} }),
});
