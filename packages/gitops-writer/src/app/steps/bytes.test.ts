import {
  type Approval,
  type Baseline,
  type Change,
  FairwayError,
  gate,
  type ModelVersion,
  silentLogger,
} from '@fairway/core';
import { expect, it } from 'vitest';
import type { StoredChange } from '../../change.ts';
import type { ImageBuilder, ModelSource } from '../../ports.ts';
import type { StepContext } from '../step.ts';
import { build } from './build.ts';

const approved = `sha256:${'1'.repeat(64)}`;
const other = `sha256:${'2'.repeat(64)}`;
const stored = {
  change: { id: 'c', model: 'm', version: '1', environment: 'prod', digest: approved } as Change,
  evidence: { kind: 'deploy', digest: approved, approval: {} as Approval },
  facts: {},
  attempts: 0,
} satisfies StoredChange;

const MODEL_YAML = `apiVersion: fairway.dev/v1
kind: Model
name: m
owner: us
source: { registry: directory }
environments: [{ name: prod, namespace: m-prod, merge: review }]
`;

/** A registry that holds `digest`, and an image builder that packs nothing else than what was approved. */
function world(digest: string) {
  const modelVersion = { model: 'm', version: '1', digest: approved } as ModelVersion;
  const seen = { built: 0, disposed: 0 };
  const source: Pick<ModelSource, 'load' | 'files'> = {
    load: () => Promise.resolve({ modelVersion, baseline: {} as Baseline }),
    files: () => Promise.resolve({ folder: 'f', dispose: () => Promise.resolve(void (seen.disposed += 1)) }),
  };
  const images: ImageBuilder = {
    build: (wanted) => {
      if (wanted.modelVersion.digest !== digest)
        throw new FairwayError('model.changed', 'It is another one.', { detail: { digest } });
      return Promise.resolve(`image@${digest}#${(seen.built += 1)}`);
    },
  };
  const changes = {
    loaded: () => Promise.resolve({ modelVersion, baseline: {} as Baseline }),
    firstApproval: () => Promise.resolve('event'),
  };
  const repository = {
    head: () => Promise.resolve('head'),
    read: () => Promise.resolve({ text: MODEL_YAML, blob: 'blob' }),
  };
  const context = { source, images, changes, repository, builds: gate(1), log: silentLogger };
  return { seen, context: context as unknown as StepContext };
}

it('goes on with the approved bytes', async () => {
  const { context, seen } = world(approved);
  expect(await build.run(stored, context)).toMatchObject({
    status: 'succeeded',
    output: { phase: 'built', through: ['validated'] },
  });
  expect(seen).toEqual({ built: 1, disposed: 1 });
});

it('refuses other bytes, and says which are there now', async () => {
  const { context, seen } = world(other);
  await expect(build.run(stored, context)).rejects.toMatchObject({
    code: 'model.changed',
    disposition: 'terminal',
    message: expect.stringMatching(new RegExp(`${approved} then, ${other} now\\); register the new bytes`)),
  });
  expect(seen).toEqual({ built: 0, disposed: 1 });
});
