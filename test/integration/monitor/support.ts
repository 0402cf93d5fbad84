import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { runnable } from '../../../packages/cli/src/stack/runnable.ts';
import { tieToUs } from '../../../packages/cli/src/stack/tied.ts';
import {
  type Baseline,
  encodeExchange,
  type Exchange,
  groupScores,
  type ModelVersion,
  type Pack,
  packId,
  variableBaseline,
} from '@fairway/core';

export const MODEL = 'loans';

/** A seeded uniform generator (mulberry32), so that every run sees the same data. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export type Case = {
  readonly income: number;
  readonly job: string | null;
  readonly score: number;
  readonly label: 0 | 1;
};

/** Loans whose score says something about the label; `shift` moves the income, `noise` takes the score's meaning away. */
export function cases(n: number, seed: number, { shift = 0, noise = 0 } = {}): Case[] {
  const random = seeded(seed);
  return Array.from({ length: n }, () => {
    const risk = random();
    const score = Math.min(
      0.9999,
      Math.max(0, noise > random() ? random() : 0.15 + 0.7 * risk + 0.1 * (random() - 0.5)),
    );
    const label = random() < risk * risk ? 1 : 0;
    const job = random() < 0.1 ? null : random() < 0.5 ? 'Office' : 'Sales';
    return { income: 1000 + 3000 * random() + shift, job, score, label };
  });
}

export const modelVersion = (version: string): ModelVersion => ({
  model: MODEL,
  version,
  digest: `sha256:${'0'.repeat(64)}`,
  signature: {
    name: 'serving_default',
    method: 'tensorflow/serving/predict',
    inputs: [
      { name: 'income', dtype: 'DT_FLOAT', shape: [-1, 1] },
      { name: 'job', dtype: 'DT_STRING', shape: [-1, 1] },
    ],
    outputs: [{ name: 'p_event', dtype: 'DT_FLOAT', shape: [-1, 1] }],
  },
  variables: [
    { name: 'income', type: 'decimal', role: 'input' },
    { name: 'job', type: 'string', role: 'input' },
    { name: 'p_event', type: 'decimal', role: 'output' },
  ],
  target: { variable: 'bad', event: '1', probability: 'p_event' },
  metrics: {},
  origin: 'test',
});

export function baseline(version: string, rows: readonly Case[]): Baseline {
  const scores = groupScores(
    rows.map(({ score }) => Math.floor(score * 10_000)),
    rows.map(({ label }) => label),
  );
  return {
    definition: 1,
    model: MODEL,
    version,
    rows: rows.length,
    events: rows.filter(({ label }) => label === 1).length,
    source: createHash('sha256').update(String(rows.length)).digest('hex'),
    variables: [
      variableBaseline(
        'income',
        'numeric',
        rows.map(({ income }) => income),
      ),
      variableBaseline(
        'job',
        'category',
        rows.map(({ job }) => job),
      ),
    ],
    performance: { auc: 0.85, ks: 0.55, rows: rows.length, events: rows.filter(({ label }) => label === 1).length },
    scores,
  };
}

export type Shot = {
  readonly id: string;
  readonly rows: readonly Case[];
  readonly time: string;
  readonly version?: string;
  readonly correlationId?: string;
};

/** One captured predict call as the agent frames it. */
export function exchange({ id, rows, time, version = '1', correlationId }: Shot, seq: number): Exchange {
  const request = `{"instances": [${rows
    .map(({ income, job }) => `{"income": [${income}], "job": [${job === null ? '""' : JSON.stringify(job)}]}`)
    .join(', ')}]}`;
  const response = JSON.stringify({ predictions: rows.map(({ score }) => [score]) });
  return {
    head: {
      v: 1,
      id,
      seq,
      time,
      model: MODEL,
      version,
      versionSource: 'status',
      environment: 'prod',
      method: 'POST',
      target: `/v1/models/${MODEL}:predict`,
      status: 200,
      latencyMs: 1.5,
      outcome: 'complete',
      ...(correlationId === undefined ? {} : { correlationId }),
      requestLength: request.length,
      responseLength: response.length,
    },
    request: Buffer.from(request),
    response: Buffer.from(response),
  };
}

/** A pack as the pump makes it. `epoch` tells packs of different tests apart. */
export function pack(
  exchanges: readonly Exchange[],
  first: number,
  epoch = 'e1',
  dropped: Record<string, number> = {},
): Pack {
  const last = first + exchanges.length - 1;
  return {
    v: 1,
    packId: packId('agent-1', epoch, first, last),
    agent: 'agent-1',
    epoch,
    first,
    last,
    exchanges: exchanges.length,
    payload: gzipSync(Buffer.concat(exchanges.map(encodeExchange))).toString('base64'),
    dropped,
  };
}

/** Predictions spread over a period, one per exchange, packed. Prediction ids are `<prefix>-<i>-0`. */
export function packsOf(
  rows: readonly Case[],
  period: { start: string; end: string },
  prefix: string,
  version = '1',
  size = 250,
): Pack[] {
  const [from, to] = [Date.parse(period.start), Date.parse(period.end)];
  const all = rows.map((row, index) => {
    const time = new Date(from + ((to - from) * index) / rows.length).toISOString();
    return exchange({ id: `${prefix}-${index}`, rows: [row], time, version }, index);
  });
  const packs: Pack[] = [];
  for (let at = 0; at < all.length; at += size) packs.push(pack(all.slice(at, at + size), at, prefix));
  return packs;
}

export type Child = {
  readonly process: ChildProcess;
  readonly url: string;
  readonly log: () => string;
  readonly stop: () => Promise<void>;
  readonly kill: () => Promise<void>;
};

/** Starts `packages/monitor/src/<entry>` as the product does, and waits until it listens. */
export async function startProcess(
  entry: 'main.ts' | 'recorder-main.ts',
  env: Record<string, string>,
  program?: readonly string[],
): Promise<Child> {
  const file = fileURLToPath(new URL(`../../../packages/monitor/src/${entry}`, import.meta.url));
  const child = spawn(process.execPath, program ?? (await runnable(file)), {
    env: { PATH: process.env['PATH'], HOST: '127.0.0.1', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  tieToUs(child, 'SIGKILL');
  const lines: string[] = [];
  // Not at its exit: what it said last may still be on its way then.
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return gone;
  };
  return new Promise((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => lines.push(chunk.toString('utf8')));
    createInterface(child.stdout).on('line', (line) => {
      lines.push(line);
      const port = /"port":(\d+),"msg":"listening"/.exec(line)?.[1];
      if (port !== undefined) {
        const url = `http://127.0.0.1:${port}`;
        resolve({
          process: child,
          url,
          log: () => lines.join('\n'),
          stop: () => end('SIGTERM'),
          kill: () => end('SIGKILL'),
        });
      }
    });
    child.once('close', (code) =>
      reject(new Error(`${entry} ended with ${code} before it listened:\n${lines.join('\n')}`)),
    );
  });
}

/** Asks again until the answer is not undefined; fails with `what`, and with what `look` threw last, after `seconds`. */
export async function until<T>(
  what: string,
  seconds: number,
  look: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    let cause: unknown;
    try {
      const found = await look();
      if (found !== undefined) return found;
    } catch (error) {
      cause = error;
    }
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s in vain for: ${what}`, { cause });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
