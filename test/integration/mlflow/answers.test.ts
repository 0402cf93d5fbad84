import { afterEach, beforeEach, expect, it } from 'vitest';
import { mlflowAnswers } from '../../../packages/gitops-writer/src/notify/mlflow/answers.ts';
import type { Answer } from '../../../packages/gitops-writer/src/ports.ts';
import { parseAnswerTo } from '../../../packages/gitops-writer/src/sources/mlflow/answer-to.ts';
import { modelsTouched, verifyMlflowWebhook } from '../../../packages/gitops-writer/src/sources/mlflow/webhook.ts';
import { json } from '../../harness/mlflow/server.ts';
import { webhookDelivery } from '../../harness/mlflow/tracking.ts';
import { NAME } from '../../harness/mlflow/world.ts';
import { OF, travelling, type Travelling } from './travelling.ts';

let world: Travelling;
beforeEach(async () => {
  world = await travelling('3.4', 'proxy');
});
afterEach(() => world.stop());

const ANSWER: Answer = {
  idempotencyKey: 'k',
  eventId: 'e',
  changeId: 'c1',
  model: 'home-equity',
  version: '1',
  environment: 'prod',
  outcome: 'live',
  mergeCommit: 'abc',
  at: '2026-03-01T10:11:12.000Z',
};
const answers = () => mlflowAnswers({ parse: parseAnswerTo, setTag: world.mlflow.setTag });

it('tells the version that the champion named, by its tags, any number of times', async () => {
  const version = await world.log();
  world.crown(version);
  const to = (await world.mlflow.source.champion(OF))?.answerTo;
  expect((await world.load('1')).answerTo).toBe(to);
  for (const environment of ['dev', 'prod', 'prod'])
    expect(await answers().answer({ ...ANSWER, environment }, to)).toEqual({ kind: 'accepted' });
  expect(Object.fromEntries(version.tags)).toMatchObject({
    'fairway.target': 'BAD',
    'fairway.dev.outcome': 'live',
    'fairway.prod.outcome': 'live',
    'fairway.prod.change': 'c1',
    'fairway.prod.merge_commit': 'abc',
    'fairway.prod.reason': '',
  });
});

it('gives up on a version that is gone, and tries again when the server is', async () => {
  await world.log();
  expect(await answers().answer(ANSWER, 'mlflow:credit.home%20equity/7')).toEqual({
    kind: 'dead',
    reason: `Version 7 of registered model ${NAME} is not in MLflow; there are: 1.`,
  });
  const to = 'mlflow:credit.home%20equity/1';
  world.tracking.interfere = () => json(500, { error_code: 'INTERNAL_ERROR', message: 'deadlock' });
  expect(await answers().answer(ANSWER, to)).toMatchObject({
    kind: 'retry',
    reason: expect.stringContaining('deadlock'),
  });
  world.tracking.interfere = undefined;
  await world.tracking.down();
  expect(await answers().answer(ANSWER, to)).toMatchObject({
    kind: 'retry',
    reason: expect.stringContaining('MLFLOW_URL'),
  });
  await world.tracking.up();
  expect(await answers().answer(ANSWER, to)).toEqual({ kind: 'accepted' });
});

it('takes a delivery as the server signs it', () => {
  const now = 1_780_000_000_000;
  const delivery = webhookDelivery(
    'the secret',
    'model_version_alias.created',
    { name: NAME, alias: 'champion', version: '1' },
    now,
  );
  const verdict = verifyMlflowWebhook({ ...delivery, secrets: ['the secret'], now });
  expect(verdict).toMatchObject({ ok: true, deliveryId: delivery.headers['x-mlflow-delivery-id'] });
  expect(verdict.ok && modelsTouched(verdict.event)).toEqual([NAME]);
});
