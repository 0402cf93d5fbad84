import {
  type Baseline,
  encodeExchange,
  type ExchangeHead,
  type ModelVersion,
  type Pack,
  sha256,
  timedId,
  variableBaseline,
} from '../../../packages/core/src/index.ts';
import { toPack } from '../../../packages/log-sidecar/src/pump/encode.ts';

export const MODEL = 'bench';
/** Home equity loans: what its callers send and what the model answers, 467 bytes of JSON on average. */
const NUMBERS = ['LOAN', 'MORTDUE', 'VALUE', 'YOJ', 'DEROG', 'DELINQ', 'CLAGE', 'NINQ', 'CLNO', 'DEBTINC'] as const;
const JOBS = ['Mgr', 'Office', 'Other', 'ProfExe', 'Sales', 'Self'] as const;
const REASONS = ['HomeImp', 'DebtCon'] as const;
const SEVEN_HOURS_MS = 25_200_000;

type Case = { readonly inputs: Record<string, number | string>; readonly probability: number };

/** A seeded uniform generator (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function loan(random: () => number): Case {
  const of = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const whole = (most: number) => Math.floor(random() * most);
  const inputs = {
    LOAN: 1100 + 100 * whole(300),
    MORTDUE: 2000 + whole(150_000),
    VALUE: 8000 + whole(250_000),
    REASON: of(REASONS),
    JOB: of(JOBS),
    YOJ: whole(30),
    DEROG: whole(3),
    DELINQ: whole(4),
    CLAGE: whole(30_000) / 100,
    NINQ: whole(8),
    CLNO: whole(50),
    DEBTINC: whole(6000) / 100,
  };
  return { inputs, probability: random() };
}

export const modelVersion: ModelVersion = {
  model: MODEL,
  version: '1',
  digest: `sha256:${'0'.repeat(64)}`,
  signature: {
    name: 'serving_default',
    method: 'tensorflow/serving/predict',
    inputs: [...NUMBERS, 'REASON', 'JOB'].map((name) => ({ name, dtype: 'DT_FLOAT', shape: [-1, 1] })),
    outputs: ['P_BAD0', 'P_BAD1', 'I_BAD'].map((name) => ({ name, dtype: 'DT_FLOAT', shape: [-1, 1] })),
  },
  variables: [
    ...NUMBERS.map((name) => ({ name, type: 'decimal' as const, role: 'input' as const })),
    { name: 'REASON', type: 'string', role: 'input' },
    { name: 'JOB', type: 'string', role: 'input' },
    { name: 'P_BAD1', type: 'decimal', role: 'output' },
  ],
  target: { variable: 'BAD', event: '1', probability: 'P_BAD1' },
  metrics: {},
  origin: 'benchmark',
};

/** The reference that every input variable is counted against. */
export function baseline(): Baseline {
  const random = seeded(1);
  const rows = Array.from({ length: 2000 }, () => loan(random));
  const column = (name: string) => rows.map(({ inputs }) => inputs[name] as number | string);
  return {
    definition: 1,
    model: MODEL,
    version: '1',
    rows: rows.length,
    events: 0,
    source: sha256('benchmark'),
    variables: [
      ...NUMBERS.map((name) => variableBaseline(name, 'numeric', column(name))),
      variableBaseline('REASON', 'category', column('REASON')),
      variableBaseline('JOB', 'category', column('JOB')),
    ],
    performance: { auc: 0.85, ks: 0.55, rows: rows.length, events: 0 },
    scores: [],
  };
}

export type Made = { readonly packs: readonly Pack[]; readonly bodyBytes: number; readonly frameBytes: number };

/** `count` packs of one agent epoch as its pump makes them: `size` exchanges of one prediction each. */
export function makePacks(count: number, size: number, round: number): Made {
  const random = seeded(1000 + round);
  const [packs, epoch] = [[] as Pack[], `epoch-${round}`];
  const start = Date.parse('2026-11-20T08:00:00.000Z');
  let [seq, bodyBytes, frameBytes] = [0, 0, 0];
  for (let at = 0; at < count; at++) {
    const first = seq + 1;
    const frames = Array.from({ length: size }, () => {
      const time = start + Math.floor((SEVEN_HOURS_MS * seq++) / (count * size));
      const [request, response] = bodies(loan(random));
      bodyBytes += request.length + response.length;
      return encodeExchange({ head: head(round, seq, time, random, request, response), request, response });
    });
    frameBytes += frames.reduce((sum, { length }) => sum + length, 0);
    const of = { agent: 'agent-bench', epoch, model: 'home-equity' };
    const range = { ...of, first, last: seq, exchanges: size, closedAt: 0, spans: [] };
    packs.push(toPack({ ...range, earlierDropped: undefined, note: undefined }, Buffer.concat(frames)));
  }
  return { packs, bodyBytes: bodyBytes / (count * size), frameBytes: frameBytes / (count * size) };
}

function bodies({ inputs, probability }: Case): [Buffer, Buffer] {
  const p = Number(probability.toFixed(7));
  // As Python's json.dumps writes it, and as TensorFlow Serving prints it.
  const cells = Object.entries(inputs).map(([name, value]) => `"${name}": [${JSON.stringify(value)}]`);
  const request = `{"instances": [{${cells.join(', ')}}]}`;
  const answer = { P_BAD1: [p], P_BAD0: [Number((1 - p).toFixed(7))], I_BAD: [p > 0.5 ? '1' : '0'] };
  const response = JSON.stringify({ predictions: [answer] }, undefined, 4);
  return [Buffer.from(request), Buffer.from(response)];
}

function head(
  round: number,
  seq: number,
  time: number,
  random: () => number,
  request: Buffer,
  response: Buffer,
): ExchangeHead {
  return {
    v: 1,
    id: timedId(time, sha256(`${round}/${seq}`)),
    seq,
    time: new Date(time).toISOString(),
    model: MODEL,
    version: '1',
    versionSource: 'status',
    environment: 'prod',
    method: 'POST',
    target: `/v1/models/${MODEL}:predict`,
    status: 200,
    latencyMs: Number((1 + random() * 3).toFixed(3)),
    outcome: 'complete',
    requestLength: request.length,
    responseLength: response.length,
  };
}
