import { existsSync, readdirSync } from 'node:fs';
import type { FairwayError } from '@fairway/core';
import { expect } from 'vitest';
import type { ModelReference } from '../../../packages/gitops-writer/src/ports.ts';
import { type Field, FLAVORS, mlmodelFile, tensor } from '../../harness/mlflow/mlmodel.ts';
import type { Dialect, FakeVersion } from '../../harness/mlflow/tracking.ts';
import { filesIn, type MlflowWorld, NAME, startWorld, type Store } from '../../harness/mlflow/world.ts';
import { registration, savedModel } from '../../conformance/model-source/model.ts';

export const MODEL = 'home-equity';
export const OF: ModelReference = { model: MODEL, source: { registry: 'mlflow', name: NAME, alias: 'champion' } };
export const TAGS = { 'fairway.target': 'BAD', 'fairway.event': '1', 'fairway.probability': 'P_BAD1' };
export const INPUTS: readonly Field[] = [tensor('X', 'float32', [-1, 1])];
export const OUTPUTS: readonly Field[] = [tensor('P_BAD1', 'float32', [-1, 1])];

export type Logged = {
  readonly tags?: Readonly<Record<string, string>>;
  readonly mlmodel?: Buffer;
  /** Folder of the SavedModel. */
  readonly at?: string;
  readonly more?: Readonly<Record<string, Buffer>>;
  readonly without?: readonly string[];
};

export type Travelling = MlflowWorld & {
  /** Registers a version that can travel, but for what is said otherwise. */
  readonly log: (logged?: Logged) => Promise<FakeVersion>;
  readonly crown: (version: FakeVersion | undefined, alias?: string) => void;
  readonly load: (version: string) => ReturnType<MlflowWorld['mlflow']['source']['load']>;
  /** What is left in the folder for private copies. */
  readonly left: () => string[];
};

export async function travelling(
  dialect: Dialect,
  store: Store,
  more: Readonly<Record<string, string>> = {},
): Promise<Travelling> {
  const world = await startWorld(dialect, store, more);
  return {
    ...world,
    log: async ({ tags = TAGS, mlmodel, at = 'data/model/', more = {}, without = [] } = {}) => {
      const { folder, remove } = await savedModel(1);
      const files = filesIn(folder, at);
      remove();
      files.set('MLmodel', mlmodel ?? mlmodelFile(FLAVORS.keras, INPUTS, OUTPUTS));
      files.set('conda.yaml', Buffer.from('name: env\n'));
      files.set('baseline.json', Buffer.from(JSON.stringify(registration(MODEL)['baseline.json'])));
      for (const [path, bytes] of Object.entries(more)) files.set(path, bytes);
      for (const path of without) files.delete(path);
      return world.register(files, tags);
    },
    crown: (version, alias = 'champion') => {
      const model = world.tracking.models.get(NAME);
      if (version === undefined) model?.aliases.delete(alias);
      else model?.aliases.set(alias, version.version);
    },
    load: (version) => world.mlflow.source.load(OF, version),
    left: () => (existsSync(world.scratch) ? readdirSync(world.scratch) : []),
  };
}

/** The error of a promise; fails when there is none, when it shows a secret, or when something is left behind. */
export async function refusalOf(world: Travelling, asked: Promise<unknown>): Promise<FairwayError> {
  const answer = await asked.then(
    (value) => ({ value }),
    (error: FairwayError) => ({ error }),
  );
  if (!('error' in answer)) return expect.fail(`it answered ${JSON.stringify(answer.value)}`);
  const { error } = answer;
  for (const secret of world.secrets) expect(`${error.message} ${JSON.stringify(error.detail)}`).not.toContain(secret);
  expect(world.left()).toEqual([]);
  return error;
}
