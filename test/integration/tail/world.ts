import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  decodeExchanges,
  type GroundTruth,
  type Logger,
  type Pack,
  silentLogger,
} from '../../../packages/core/src/index.ts';
import { createTail, type TailConfig } from '../../../packages/log-sidecar/src/tail/create.ts';
import type { TailCounts } from '../../../packages/log-sidecar/src/tail/counts.ts';
import { readPatterns } from '../../../packages/log-sidecar/src/tail/find.ts';
import type { RefusedLabels } from '../../../packages/log-sidecar/src/tail/labels.ts';
import type { Tail } from '../../../packages/log-sidecar/src/tail/tail.ts';
import { MODEL, modelVersion } from '../monitor/support.ts';

/**
 * A queue with a recorder behind it, as the contract has them: the same pack id again changes nothing, and an exchange that
 * is stored already does not come under another pack.
 */
export class Ledger {
  readonly packs = new Map<string, Pack>();
  /** Numbers of the rows (their income), in the order in which they were stored. */
  readonly rows: number[] = [];
  readonly labels = new Map<string, GroundTruth['label']>();
  /** What it will not have of the labels of each pack. */
  refused: RefusedLabels | undefined;
  /** What must never happen: a sentence each. */
  readonly faults: string[] = [];
  private readonly exchanges = new Set<string>();

  store(pack: Pack, labels: readonly GroundTruth[]): void {
    for (const { id, label } of labels) this.labels.set(id, label);
    const known = this.packs.get(pack.packId);
    if (known !== undefined) {
      if (JSON.stringify(known) !== JSON.stringify(pack))
        this.faults.push(`pack ${pack.packId} came with other content`);
      return;
    }
    this.packs.set(pack.packId, pack);
    const exchanges = decodeExchanges(gunzipSync(Buffer.from(pack.payload, 'base64')));
    if (exchanges.length !== pack.exchanges)
      this.faults.push(`pack ${pack.packId} holds ${exchanges.length} exchanges`);
    for (const { head, request } of exchanges) {
      if (this.exchanges.has(head.id)) this.faults.push(`exchange ${head.id} came under two packs`);
      if (head.seq < pack.first || head.seq > pack.last) this.faults.push(`exchange ${head.seq} lies outside its pack`);
      this.exchanges.add(head.id);
      this.rows.push(Number(/"income": \[(\d+)/.exec(Buffer.from(request).toString())?.[1]));
    }
  }

  /** Losses of all epochs, by the newest pack of each. */
  dropped(): Record<string, number> {
    const newest = new Map<string, Pack>();
    for (const pack of this.packs.values())
      if (pack.last > (newest.get(pack.epoch)?.last ?? 0)) newest.set(pack.epoch, pack);
    const all: Record<string, number> = {};
    for (const { dropped } of newest.values()) {
      for (const [reason, n] of Object.entries(dropped)) all[reason] = (all[reason] ?? 0) + n;
    }
    return all;
  }
}

/** What the queue does with a pack: `dead`: it takes it, and the process dies before it learns of it. */
export type Mood = 'taking' | 'away' | 'dead';

export type Running = { readonly tail: Tail; readonly counts: TailCounts; mood: Mood; readonly died: Promise<void> };

export type World = {
  readonly dir: string;
  readonly ledger: Ledger;
  readonly path: (name: string) => string;
  readonly start: (files: string, config?: Partial<TailConfig>, log?: Logger) => Promise<Running>;
  readonly remove: () => Promise<void>;
};

export const MAPPING: TailConfig['mapping'] = {
  model: MODEL,
  environment: 'prod',
  time: 'time',
  score: 'score',
  label: undefined,
  version: { fixed: '1' },
  versions: () => new Map([['1', modelVersion('1')]]),
};

export function createWorld(): World {
  const dir = mkdtempSync(join(tmpdir(), 'fairway-tail-'));
  const ledger = new Ledger();
  const running: Running[] = [];
  const path = (name: string) => join(dir, name);
  const start = async (files: string, config: Partial<TailConfig> = {}, log = silentLogger) => {
    const one = begin(ledger, { patterns: readPatterns(path(files)), stateDir: path('state'), ...config }, log);
    running.push(one);
    await one.tail.start();
    return one;
  };
  const remove = async () => {
    for (const one of running) if (one.mood !== 'dead') await one.tail.stop();
    rmSync(dir, { recursive: true, force: true });
  };
  return { dir, ledger, path, start, remove };
}

type Given = Pick<TailConfig, 'patterns' | 'stateDir'> & Partial<TailConfig>;

function begin(ledger: Ledger, config: Given, log: Logger): Running {
  let die = () => {};
  const died = new Promise<void>((resolve) => (die = resolve));
  const deliver = async (pack: Pack, labels: readonly GroundTruth[]) => {
    if (one.mood === 'away') throw new Error('the queue is away');
    ledger.store(pack, labels);
    if (one.mood === 'taking') return ledger.refused;
    // Nothing of a dead process goes on: it waits here for ever.
    die();
    return new Promise<undefined>(() => {});
  };
  const rules = { pollMs: 20, flushMs: 20, lingerMs: 200, graceMs: 5000, longest: 64 * 1024, delimiter: undefined };
  const made = createTail(
    { mapping: MAPPING, prepare: (exchange) => exchange, ...rules, ...config },
    {
      log,
      monotonic: () => performance.now(),
      random: () => 0,
      deliver,
      close: async () => {},
    },
  );
  const one: Running = { ...made, mood: 'taking', died };
  return one;
}

export const HEADER = 'time,score,income,job\n';
const timeOf = (n: number) => new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString();
export const csvRow = (n: number): string => `${timeOf(n)},0.25,${n},"Office, ""${n}"""\r\n`;
export const jsonRow = (n: number): string =>
  `${JSON.stringify({ time: timeOf(n), score: 0.25, income: n, job: 'Office' })}\n`;

export const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** Appends rows to a file, whole. */
export const append = (path: string, numbers: readonly number[], row = csvRow): void =>
  appendFileSync(path, numbers.map(row).join(''));

/** Polls until it holds; what is still different after a minute is the error. */
export async function eventually(check: () => void, ms = 60_000): Promise<void> {
  const deadline = performance.now() + ms;
  for (;;) {
    try {
      return check();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
