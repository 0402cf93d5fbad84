/** The program of the retrain Job's container: composition root. Exit 0 registered, 10 refused by the gate, 1 failed. */
import type { EnvOf, Reader } from '@fairway/core';
import { asFairwayError, checkName, checkVersion, flag, integer, readEnv, text } from '@fairway/core';
import { refusalOf } from './refusal.ts';
import type { Retrained } from './retrain.ts';
import { retrain } from './retrain.ts';
import { readSnapshot } from './snapshot.ts';

const GATE_REFUSED = 10;

const decimal: Reader<number> = (raw) =>
  raw !== undefined && Math.abs(Number(raw)) <= 0.5
    ? { value: Number(raw) }
    : { problem: 'must be a number from -0.5 to 0.5' };

const spread: Reader<number | undefined> = (raw) => {
  if (raw === undefined) return { value: undefined };
  const value = Number(raw);
  return value > 0 && value <= 10 ? { value } : { problem: 'must be a number above 0, at most 10' };
};

const SPEC = {
  FAIRWAY_MODEL: text('name of the model'),
  FAIRWAY_CHANGE: text('id of the retrain change'),
  FAIRWAY_SNAPSHOT: text("the snapshot, a gzip'd CSV file"),
  FAIRWAY_SNAPSHOT_SHA256: text('sha256 of the uncompressed snapshot, hex'),
  FAIRWAY_REGISTRY: text('root folder of the model registry'),
  FAIRWAY_CHAMPION_VERSION: text('version that the candidate must beat'),
  FAIRWAY_GATE_MARGIN: { about: 'AUC by which it must beat it', read: decimal },
  FAIRWAY_GATE_Z: { about: 'standard errors of the difference by which it must lie beyond chance', read: spread },
  FAIRWAY_SEED: integer('seed of the training', { min: 0, max: 2_147_483_647 }),
  FAIRWAY_DEBUG: flag('print stacks', false),
};

/** One JSON object a line, in pino's shape. */
function log(level: 30 | 50, fields: object, msg: string): void {
  process.stdout.write(`${JSON.stringify({ level, time: Date.now(), name: 'trainer', ...fields, msg })}\n`);
}

async function run(env: EnvOf<typeof SPEC>, signal: AbortSignal): Promise<number> {
  const model = checkName('Model', env.FAIRWAY_MODEL);
  const loans = await readSnapshot(env.FAIRWAY_SNAPSHOT, env.FAIRWAY_SNAPSHOT_SHA256);
  log(30, { model, change: env.FAIRWAY_CHANGE, rows: loans.length }, 'snapshot verified');
  const result = await retrain({
    model,
    change: env.FAIRWAY_CHANGE,
    registryDir: env.FAIRWAY_REGISTRY,
    championVersion: checkVersion(env.FAIRWAY_CHAMPION_VERSION),
    gateMargin: env.FAIRWAY_GATE_MARGIN,
    gateZ: env.FAIRWAY_GATE_Z,
    seed: env.FAIRWAY_SEED,
    loans,
    source: env.FAIRWAY_SNAPSHOT_SHA256,
    signal,
  });
  return report(result, env);
}

function report(result: Retrained, env: EnvOf<typeof SPEC>): number {
  if (result.outcome !== 'refused') {
    log(
      30,
      result,
      result.outcome === 'registered' ? 'candidate registered' : 'this change has registered its candidate',
    );
    return 0;
  }
  const { FAIRWAY_CHAMPION_VERSION: version, FAIRWAY_GATE_MARGIN: margin, FAIRWAY_GATE_Z: z } = env;
  const reason = refusalOf(result, { version, margin, z });
  log(50, { ...result, reason }, 'gate refused the candidate');
  return GATE_REFUSED;
}

const stopped = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.once(name, () => stopped.abort(new Error(`stopped by ${name}; the registry is as it was`)));
}
try {
  process.exitCode = await run(readEnv(process.env, SPEC), stopped.signal);
} catch (thrown) {
  const { code, message, stack } = asFairwayError(thrown);
  const debug = process.env['FAIRWAY_DEBUG'] === 'true' ? { stack } : {};
  log(50, { code, reason: message, ...debug }, 'training failed');
  process.exitCode = 1;
}
