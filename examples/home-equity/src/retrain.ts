import { join } from 'node:path';
import { FairwayError, pairedAuc, pairedInterval, passesGate } from '@fairway/core';
import type { SavedModel } from '@fairway/savedmodel';
import { DEFAULT_SIGNATURE, executable, readRegistration, readSavedModel } from '@fairway/savedmodel';
import type { Loan } from './columns.ts';
import { goldenCases } from './golden.ts';
import { baselineOf, performance } from './performance.ts';
import { registerVersion, versionOfChange, versionsOf } from './registry.ts';
import { tensorsOf, weightsOf } from './saved-model.ts';
import type { FieldLoan } from './snapshot.ts';
import { isHeldOut, isValidation } from './split.ts';
import type { Trained } from './train.ts';
import { checkRows, fit } from './train.ts';

export type RetrainOptions = {
  readonly model: string;
  readonly change: string;
  readonly registryDir: string;
  readonly championVersion: string;
  /** AUC by which the candidate must exceed the champion on the newest held-out loans. */
  readonly gateMargin: number;
  /** Standard errors of their difference by which it must lie beyond chance; undefined: the margin alone decides. */
  readonly gateZ: number | undefined;
  readonly seed: number;
  readonly loans: readonly FieldLoan[];
  /** sha256 of the snapshot. */
  readonly source: string;
  readonly signal: AbortSignal;
};

type Figures = { readonly auc: number; readonly ks: number };
/** Candidate against champion on the same held-out loans; the interval is of 95 %, null with fewer than two loans in a class. */
export type Compared = {
  readonly champion: Figures;
  readonly candidate: Figures;
  readonly difference: number;
  readonly interval: readonly [low: number, high: number] | null;
};
export type Retrained =
  | { readonly outcome: 'already-registered'; readonly version: string }
  | ({ readonly outcome: 'registered'; readonly version: string } & Compared)
  | ({ readonly outcome: 'refused' } & Compared);

/**
 * Retrains on labelled loans from production: goes on from the champion, gates the candidate against it on the newest
 * held-out loans, and registers it as the next version. The same change twice registers one version.
 */
export async function retrain(options: RetrainOptions): Promise<Retrained> {
  const { model, change, registryDir } = options;
  const existing = await versionOfChange(registryDir, model, change);
  if (existing !== undefined) return { outcome: 'already-registered', version: existing };
  const champion = await loadChampion(options);
  const { trained, training } = await bestCandidate(options, champion.model);
  const heldOut = newest(options.loans).filter(isHeldOut);
  const scores = [champion.scores(heldOut), trained.predict(heldOut)] as const;
  const paired = pairedAuc(
    ...scores,
    heldOut.map(({ BAD }) => BAD),
  );
  const [before, after] = [performance(scores[0], heldOut), performance(scores[1], heldOut)];
  const [difference, interval] = [paired?.difference ?? Number.NaN, pairedInterval(paired)];
  const compared = { champion: before, candidate: after, difference, interval };
  if (!passesGate(paired, { margin: options.gateMargin, z: options.gateZ })) return { outcome: 'refused', ...compared };
  return { outcome: 'registered', version: await register(options, trained, training, heldOut), ...compared };
}

async function loadChampion({ registryDir, model, championVersion: version }: RetrainOptions) {
  const dir = join(registryDir, model, version);
  const savedModel = await readSavedModel(dir);
  const { target } = await readRegistration(dir, { model, version });
  const run = executable(savedModel, DEFAULT_SIGNATURE);
  return {
    model: savedModel,
    scores: (loans: readonly Loan[]) => run(tensorsOf(loans))[target.probability]?.values as Float32Array,
  };
}

/** More loans are safer: the newest quarter alone must be better by so much AUC on the newest validation loans. */
const RECENT_MARGIN = 0.01;

/**
 * One candidate learns from all loans and one from the newest quarter only. When the world has changed the second wins,
 * when it has only become noisier the first.
 */
async function bestCandidate({ loans, seed, signal }: RetrainOptions, champion: SavedModel) {
  const recent = newest(loans);
  const all = loans.map(({ loan }) => loan);
  const validation = recent.filter(isValidation);
  const start = weightsOf(champion);
  let best: { trained: Trained; training: Loan[]; auc: number } | undefined;
  for (const rows of recent.length < all.length ? [all, recent] : [all]) {
    const training = rows.filter((loan) => !isHeldOut(loan) && !isValidation(loan));
    checkRows(training);
    const trained = await fit(training, { seed, start, signal });
    const { auc } = performance(trained.predict(validation), validation);
    if (best === undefined || auc > best.auc + RECENT_MARGIN) best = { trained, training, auc };
  }
  return best as NonNullable<typeof best>;
}

const QUARTER_MS = 92 * 86_400_000;
const MIN_RECENT = 1_000;

/** The loans of the newest 92 days, or all when those are fewer than 1,000. */
function newest(loans: readonly FieldLoan[]): Loan[] {
  const last = loans.reduce((latest, { at }) => Math.max(latest, at), 0);
  const recent = loans.filter(({ at }) => at > last - QUARTER_MS);
  return (recent.length < MIN_RECENT ? loans : recent).map(({ loan }) => loan);
}

/** Registers under the next free number; another writer may take one in between. */
async function register(
  options: RetrainOptions,
  { weights, predict }: Trained,
  training: readonly Loan[],
  heldOut: readonly Loan[],
): Promise<string> {
  const { model, change, registryDir, source } = options;
  const scores = predict(heldOut);
  for (let attempt = 0; attempt < 10; attempt++) {
    const version = String(((await versionsOf(registryDir, model)).at(-1) ?? 0) + 1);
    const baseline = baselineOf({ model, version, source, training, heldOut, scores });
    const trainTable = `on-field snapshot ${source.slice(0, 12)}, ${training.length} rows`;
    const golden = goldenCases(predict);
    if (await registerVersion({ registryDir, weights, baseline, golden, trainTable, change })) return version;
  }
  throw new FairwayError('registry.unavailable', `No free version number for ${model} in the registry; try again.`);
}
