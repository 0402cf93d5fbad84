import type { PoolClient } from 'pg';
import type { ProfileCount } from '@fairway/core';
import type { ExchangeRow, PredictionRow, ScoreCount } from '../ports.ts';
import { copyInto } from './copy.ts';
import type { CopyRows } from './copy-rows.ts';

const EXCHANGE_COLUMNS = [
  'day',
  'id',
  'model',
  'version',
  'environment',
  'time',
  'status',
  'outcome',
  'latency_ms',
  'correlation_id',
  'request',
  'response',
  'head',
  'instances',
  'reason',
];

export const copyExchanges = (client: PoolClient, rows: readonly ExchangeRow[]): Promise<void> =>
  copyInto(client, 'monitoring.exchanges', EXCHANGE_COLUMNS, rows, (into, row) => {
    into.date(row.day);
    into.text(row.id);
    into.word(row.model);
    into.word(row.version);
    into.word(row.environment);
    into.time(row.time);
    into.int4(row.status);
    into.word(row.outcome);
    into.float8(row.latencyMs);
    into.text(row.correlationId);
    into.bytes(row.request);
    into.bytes(row.response);
    into.bytes(row.head);
    into.int4(row.instances);
    into.word(row.reason);
  });

const PREDICTION_COLUMNS = [
  'day',
  'id',
  'exchange',
  'model',
  'version',
  'version_source',
  'environment',
  'time',
  'score',
  'inputs',
  'outputs',
  'latency_ms',
  'status',
  'correlation_id',
  'label',
  'observed_at',
];

export const copyPredictions = (client: PoolClient, rows: readonly PredictionRow[]): Promise<void> =>
  copyInto(client, 'monitoring.predictions', PREDICTION_COLUMNS, rows, (into, row) => {
    into.date(row.day);
    into.text(row.id);
    into.text(row.exchange);
    into.word(row.model);
    into.word(row.version);
    into.word(row.versionSource);
    into.word(row.environment);
    into.time(row.time);
    into.float8(row.score);
    into.text(row.inputs);
    into.text(row.outputs);
    into.float8(row.latencyMs);
    into.int4(row.status);
    into.text(row.correlationId);
    into.int2(row.label);
    into.time(row.observedAt);
  });

const CELL_COLUMNS = ['model', 'version', 'environment', 'hour'];

function cell(into: CopyRows, { model, version, environment, hour }: Omit<ProfileCount, 'variable'>): void {
  into.word(model);
  into.word(version);
  into.word(environment);
  into.time(hour);
}

export const copyProfileDeltas = (client: PoolClient, counts: readonly ProfileCount[]): Promise<void> =>
  copyInto(client, 'monitoring.profile_deltas', [...CELL_COLUMNS, 'variable', 'bin', 'count'], counts, (into, each) => {
    cell(into, each);
    into.word(each.variable);
    into.int4(each.bin);
    into.int8(each.count);
  });

export const copyScoreDeltas = (client: PoolClient, counts: readonly ScoreCount[]): Promise<void> =>
  copyInto(client, 'monitoring.score_deltas', [...CELL_COLUMNS, 'bin', 'label', 'count'], counts, (into, each) => {
    cell(into, each);
    into.int4(each.bin);
    into.int2(each.label);
    into.int8(each.count);
  });
