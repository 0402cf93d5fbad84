import { readFileSync, writeFileSync } from 'node:fs';
import {
  asFairwayError,
  checkName,
  checkVersion,
  type EnvOf,
  type EnvSpec,
  FairwayError,
  type GoldenCase,
  optionalText,
  readEnv,
  readGolden,
  sha256,
  systemClock,
  text,
  url,
} from '@fairway/core';
import { runSmoke, type SmokeResult } from './run.ts';
import { servingAt } from './serving.ts';

/** The smoke test's environment (docs/contracts.md). */
const ENVIRONMENT = {
  FAIRWAY_MODEL: text('name of the model'),
  FAIRWAY_VERSION: text('version that must answer'),
  SMOKE_URL: url('TensorFlow Serving, past the agent', ['http']),
  GOLDEN_CASES: text('the golden cases, a golden.jsonl'),
  GOLDEN_SHA256: text('sha256 of that file, hex'),
  TERMINATION_LOG: optionalText('file that takes the reason of a failure'),
} as const satisfies EnvSpec;
type SmokeEnv = EnvOf<typeof ENVIRONMENT>;

/** Loading is over when Argo CD starts this: what is waited for is that the network knows of it. */
const READY_WITHIN_MS = 120_000;
/** Below the Job's own deadline, or nobody learns which case took so long. */
const DONE_WITHIN_MS = 480_000;

/**
 * The program of the smoke-test Job: asks the golden cases of a model version. Answers the exit code: 0 all were answered
 * as wanted; 1 they were not; 2 it could not ask (its settings, or the file).
 */
export async function smoke(env: NodeJS.ProcessEnv, print: (line: string) => void): Promise<0 | 1 | 2> {
  try {
    const settings = readEnv(env, ENVIRONMENT);
    const { passed, summary } = await run(settings, print);
    if (passed) print(summary);
    else leave(env['TERMINATION_LOG'], summary, print);
    return passed ? 0 : 1;
  } catch (thrown) {
    const { message } = asFairwayError(thrown);
    print(message);
    leave(env['TERMINATION_LOG'], message, print);
    return 2;
  }
}

async function run(env: SmokeEnv, print: (line: string) => void): Promise<SmokeResult> {
  const model = checkName('Model', env.FAIRWAY_MODEL);
  const version = checkVersion(env.FAIRWAY_VERSION);
  const cases = readCases(env);
  const serving = servingAt(new URL(env.SMOKE_URL), model, version);
  const limits = { readyWithinMs: READY_WITHIN_MS, doneWithinMs: DONE_WITHIN_MS };
  return runSmoke({ model, version, cases, ...limits }, { serving, clock: systemClock, print });
}

/** The bytes that the merged commit was rendered with, or none: the cluster may still hold those of the version before. */
function readCases({ GOLDEN_CASES: file, GOLDEN_SHA256: wanted }: SmokeEnv): readonly GoldenCase[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new FairwayError('config.invalid', `GOLDEN_CASES cannot be read: ${(error as Error).message}`);
  }
  if (sha256(bytes) !== wanted)
    throw new FairwayError(
      'config.invalid',
      `GOLDEN_CASES holds other cases (sha256 ${sha256(bytes)}) than the merged commit (${wanted}); sync again.`,
    );
  const { cases, problems } = readGolden(bytes.toString('utf8'));
  if (problems.length > 0) throw new FairwayError('model.invalid', `The golden cases cannot be used: ${problems[0]}.`);
  return cases;
}

function leave(file: string | undefined, reason: string, print: (line: string) => void): void {
  if (file === undefined || file === '') return;
  try {
    writeFileSync(file, reason);
  } catch (error) {
    print(`TERMINATION_LOG cannot be written: ${(error as Error).message}`);
  }
}
