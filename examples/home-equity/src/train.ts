import { canonicalJson, FairwayError, sha256 } from '@fairway/core';
import type { Loan } from './columns.ts';
import { features, fitScaling } from './features.ts';
import { goldenCases } from './golden.ts';
import type { Network } from './network.ts';
import { trainNetwork } from './network.ts';
import { baselineOf } from './performance.ts';
import { registerVersion, versionsOf } from './registry.ts';
import type { Weights } from './saved-model.ts';
import { isHeldOut } from './split.ts';

/** A trained model and its own predictions, with which the executed SavedModel must agree. */
export type Trained = { readonly weights: Weights; readonly predict: (loans: readonly Loan[]) => Float32Array };

const STEPS = 400;
const RATE = 0.02;
/** Going on from a champion needs fewer and smaller steps. */
const TUNING_STEPS = 400;
const TUNING_RATE = 0.004;

export type FitOptions = {
  readonly seed: number;
  readonly start?: Weights | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** Fits the network on loans, from scratch or going on from `start`. The same loans, seed and start → the same weights. */
export async function fit(loans: readonly Loan[], { seed, start, signal }: FitOptions): Promise<Trained> {
  const scaling = start?.scaling ?? fitScaling(loans);
  const network: Network = await trainNetwork({
    matrix: features(loans, scaling),
    labels: Float32Array.from(loans, ({ BAD }) => BAD),
    seed,
    steps: start === undefined ? STEPS : TUNING_STEPS,
    rate: start === undefined ? RATE : TUNING_RATE,
    start: start?.layers,
    signal,
  });
  return {
    weights: { scaling, layers: network.layers },
    predict: (rows) => network.predict(features(rows, scaling)),
  };
}

export type TrainOptions = {
  readonly rows: readonly Loan[];
  readonly seed: number;
  /** Root of the directory registry; the version goes to `<registryDir>/home-equity/<version>`. */
  readonly registryDir: string;
  readonly version: string;
  readonly signal?: AbortSignal;
};

const MODEL = 'home-equity';
/** Below this a split has too few events to say anything. */
const MIN_ROWS = 200;

/**
 * Trains the home-equity model on 80 % of the loans and registers it with baseline and held-out figures.
 * Throws `input.invalid` on too few rows, one class only, or a version that exists.
 */
export async function trainHomeEquity(options: TrainOptions): Promise<{ metrics: { auc: number; ks: number } }> {
  const { rows, seed, registryDir, version, signal } = options;
  checkRows(rows);
  if ((await versionsOf(registryDir, MODEL)).includes(Number(version))) throw taken(version);
  const training = rows.filter((loan) => !isHeldOut(loan));
  const heldOut = rows.filter(isHeldOut);
  const { weights, predict } = await fit(training, { seed, signal });
  const source = sha256(canonicalJson(rows));
  const baseline = baselineOf({ model: MODEL, version, source, training, heldOut, scores: predict(heldOut) });
  const trainTable = `home-equity loans, ${training.length} rows`;
  const golden = goldenCases(predict);
  if (!(await registerVersion({ registryDir, weights, baseline, golden, trainTable }))) throw taken(version);
  const { auc, ks } = baseline.performance;
  return { metrics: { auc, ks } };
}

const taken = (version: string): FairwayError =>
  new FairwayError(
    'input.invalid',
    `Version ${version} of ${MODEL} is in the registry already; choose the next number, or another registry folder.`,
  );

/** Throws `input.invalid` unless there are enough rows of both classes. */
export function checkRows(rows: readonly Loan[]): void {
  const events = rows.filter(({ BAD }) => BAD === 1).length;
  if (rows.length >= MIN_ROWS && events >= 20 && rows.length - events >= 20) return;
  throw new FairwayError(
    'input.invalid',
    `${rows.length} labelled loans with ${events} defaults are too few to train on; at least ${MIN_ROWS} loans with 20 of each outcome are needed.`,
  );
}
