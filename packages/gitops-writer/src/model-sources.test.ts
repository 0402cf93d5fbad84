import { readEnv, systemClock } from '@fairway/core';
import { expect, it } from 'vitest';
import type { WriterEnv } from './config.ts';
import { openSources } from './model-sources.ts';
import { MLFLOW_ENV } from './sources/mlflow/settings.ts';
import { SAS_ENV } from './sources/sas/settings.ts';

const open = (env: Readonly<Record<string, string>>) => {
  const registriesOf = readEnv(env, { ...SAS_ENV, ...MLFLOW_ENV });
  return openSources({ ...registriesOf, MODEL_DIRECTORY: env['MODEL_DIRECTORY'] } as WriterEnv, 'scratch', systemClock);
};
const SAS = { SAS_URL: 'https://viya.example.com', SAS_CLIENT_ID: 'fairway', SAS_CLIENT_SECRET: 'hush' };
const MLFLOW = { MLFLOW_URL: 'https://mlflow.example.com' };

it('needs one registry', () => {
  expect(() => open({})).toThrow('set MODEL_DIRECTORY, SAS_URL or MLFLOW_URL');
});

it('connects what is set, and answers where there is somebody to tell', () => {
  const some = open({ MODEL_DIRECTORY: 'registry' });
  expect(some).toMatchObject({ connected: ['directory'], answers: {} });
  expect(some.mlflowHooks).toBeUndefined();
  const all = open({ MODEL_DIRECTORY: 'registry', ...SAS, ...MLFLOW, MLFLOW_WEBHOOK_SECRET: 'hush' });
  expect(all.connected).toEqual(['directory', 'sas', 'mlflow']);
  expect(Object.keys(all.answers)).toEqual(['sas', 'mlflow']);
  expect(all.mlflowHooks).toBeDefined();
});

it('says which setting connects the registry of a model', async () => {
  const { source } = open({ MODEL_DIRECTORY: 'registry' });
  const of = { model: 'credit', source: { registry: 'mlflow', name: 'credit', alias: 'champion' } } as const;
  await expect(source.champion(of)).rejects.toThrow('set MLFLOW_URL');
});
