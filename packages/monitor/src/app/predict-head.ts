import type { ExchangeHead } from '@fairway/core';

/** The head of a small predict call: what the tests of this room begin with. */
export const PREDICT_HEAD: ExchangeHead = {
  v: 1,
  id: 'x',
  seq: 1,
  time: '2025-01-01T00:00:00.000Z',
  model: 'm',
  version: '1',
  versionSource: 'status',
  environment: 'prod',
  method: 'POST',
  target: '/v1/models/m:predict',
  status: 200,
  latencyMs: 2,
  outcome: 'complete',
  requestLength: 1,
  responseLength: 1,
};
