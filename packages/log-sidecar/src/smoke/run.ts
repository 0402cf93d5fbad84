import { type Clock, type GoldenCase, goldenLine, pause } from '@fairway/core';
import { differences } from './compare.ts';
import type { Serving } from './serving.ts';

export type SmokePlan = {
  readonly model: string;
  readonly version: string;
  readonly cases: readonly GoldenCase[];
  /** How long the version may take to be AVAILABLE, in ms. */
  readonly readyWithinMs: number;
  /** How long everything may take, in ms. */
  readonly doneWithinMs: number;
};

export type SmokeWorld = {
  readonly serving: Serving;
  readonly clock: Clock;
  /** One line about each case. */
  readonly print: (line: string) => void;
};

/** `summary`: in sentences what failed, most telling first. */
export type SmokeResult = { readonly passed: boolean; readonly summary: string };

const RETRY_MS = 500;
/** What a pod leaves as its last word is cut there by Kubernetes. */
const MOST_BYTES = 4_096;

/** Waits until the version serves, then asks every case, one after the other; all are asked, whatever the first answers. */
export async function runSmoke(plan: SmokePlan, world: SmokeWorld): Promise<SmokeResult> {
  const { cases, model, version } = plan;
  const began = world.clock.now();
  const unready = await untilAvailable(world, began + plan.readyWithinMs);
  if (unready !== undefined) {
    const seconds = plan.readyWithinMs / 1000;
    return failed(`Version ${version} of ${model} was not AVAILABLE within ${seconds} s: ${unready}.`, world);
  }
  const end = began + plan.doneWithinMs;
  const failures: string[] = [];
  for (const [index, item] of cases.entries()) {
    if (world.clock.now() >= end) {
      failures.push(`${cases.length - index} cases were not asked within ${plan.doneWithinMs / 1000} s`);
      break;
    }
    const reasons = await ask(item, world, end);
    world.print(
      `${reasons.length === 0 ? 'ok' : 'FAILED'} ${called(item)}${reasons.map((why) => `; ${why}`).join('')}`,
    );
    if (reasons.length > 0) failures.push(`${called(item)}: ${reasons.join('; ')}`);
  }
  const what = `${cases.length} golden cases of ${model} version ${version}`;
  if (failures.length === 0) return { passed: true, summary: `All ${what} were answered as wanted.` };
  return failed(`${failures.length} of ${what} failed: ${failures.join(' | ')}`, world);
}

function failed(text: string, { print }: SmokeWorld): SmokeResult {
  const summary = cut(text);
  print(summary);
  return { passed: false, summary };
}

/** At whole characters. */
function cut(text: string): string {
  if (Buffer.byteLength(text) <= MOST_BYTES) return text;
  const bytes = Buffer.from(text).subarray(0, MOST_BYTES - 4);
  return `${bytes.toString('utf8').replace(/\uFFFD$/, '')}…`;
}

const called = ({ name, line }: GoldenCase): string =>
  name === undefined ? goldenLine(line) : `${goldenLine(line)} (${name})`;

/** Undefined once it is; otherwise what was said last. */
async function untilAvailable({ serving, clock }: SmokeWorld, end: number): Promise<string | undefined> {
  for (;;) {
    const state = await serving.state();
    if (state === 'AVAILABLE') return undefined;
    if (clock.now() >= end) return `the last word was ${state}`;
    await pause(RETRY_MS);
  }
}

/** A connection that fails says nothing about the model: pods of the version before may still be going. */
const MOST_TRIES = 5;

async function ask(item: GoldenCase, { serving, clock }: SmokeWorld, end: number): Promise<string[]> {
  for (let tries = 1; ; tries++) {
    const answer = await serving.predict(item);
    if ('json' in answer) return differences(item, answer.json);
    if (!answer.again || tries === MOST_TRIES || clock.now() >= end) return [answer.problem];
    await pause(RETRY_MS * tries);
  }
}
