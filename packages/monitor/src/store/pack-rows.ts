import type { ProfileCount } from '@fairway/core';
import type { ExchangeRow, PredictionRow, ScoreCount } from '../ports.ts';
import type { Copy } from './batch.ts';
import { copyOf } from './copy.ts';
import type { DayFrames } from './frames.ts';

/** What a row needs to know besides what it is: the pack's number, and where its call stands in the pack's frames. */
type Placed<T> = { readonly row: T; readonly stream: number; readonly position: number | null };

/** Head, request and response. */
const PARTS = 3;

const EXCHANGE_COLUMNS = [
  'day',
  'id',
  'stream',
  'time',
  'status',
  'outcome',
  'latency_ms',
  'correlation_id',
  'sampling',
  'pack',
  'position',
  'head',
  'request',
  'response',
  'instances',
  'reason',
];

export const copyFrames = (pack: number, rows: readonly DayFrames[]): Copy[] =>
  copyOf('monitoring.pack_frames', ['day', 'pack', 'frames'], rows, (into, row) => {
    into.date(row.day);
    into.int8(pack);
    into.bytes(row.frames);
  });

/** Their bytes are at hand where somebody will look: where there is a reason. */
export const copyExchanges = (pack: number, rows: ReadonlyArray<Placed<ExchangeRow>>): Copy[] =>
  copyOf('monitoring.exchange_rows', EXCHANGE_COLUMNS, rows, (into, { row, stream, position }) => {
    into.date(row.day);
    into.text(row.id);
    into.int8(stream);
    into.time(row.time);
    into.int4(row.status);
    into.word(row.outcome);
    into.float8(row.latencyMs);
    into.text(row.correlationId);
    into.float8(row.sampling);
    into.int8(pack);
    into.int4(position);
    if (row.reason === null) for (let part = 0; part < PARTS; part++) into.text(null);
    else for (const bytes of row.frame.parts()) into.bytes(bytes);
    into.int4(row.instances);
    into.word(row.reason);
  });

const PREDICTION_COLUMNS = [
  'time',
  'score',
  'latency_ms',
  'pack',
  'stream',
  'day',
  'position',
  'status',
  'id',
  'inputs',
  'outputs',
  'correlation_id',
  'sampling',
];

type PlacedPrediction = Placed<PredictionRow> & { readonly sampling: number | null };

export const copyPredictions = (pack: number, rows: readonly PlacedPrediction[]): Copy[] =>
  copyOf('monitoring.prediction_rows', PREDICTION_COLUMNS, rows, (into, { row, stream, position, sampling }) => {
    into.time(row.time);
    into.float8(row.score);
    into.float8(row.latencyMs);
    into.int8(pack);
    into.int8(stream);
    into.date(row.day);
    into.int4(position);
    into.int4(row.status);
    into.text(row.id);
    into.text(row.inputs);
    into.text(row.outputs);
    into.text(row.correlationId);
    into.float8(sampling);
  });

type LabelRow = Pick<PredictionRow, 'day' | 'id' | 'observedAt'> & { readonly label: number };

export const isLabelled = <T extends { readonly label: number | null }>(
  row: T,
): row is T & { readonly label: number } => row.label !== null;

/** First labels of predictions. */
export const copyLabels = (rows: readonly LabelRow[]): Copy[] =>
  copyOf('monitoring.prediction_labels', ['day', 'label', 'observed_at', 'id'], rows, (into, row) => {
    into.date(row.day);
    into.float8(row.label);
    into.time(row.observedAt);
    into.text(row.id);
  });

const APPENDED_COLUMNS = [
  'hour',
  'cells',
  'model',
  'version',
  'environment',
  'score_bins',
  'score_labels',
  'score_counts',
  'variables',
  'variable_bins',
  'variable_counts',
];

/** What is added to the counts of one hour. */
export type AppendedCounts = Pick<ProfileCount, 'model' | 'version' | 'environment' | 'hour'> & {
  readonly profile: ReadonlyArray<Pick<ProfileCount, 'variable' | 'bin' | 'count'>>;
  readonly scores: ReadonlyArray<Pick<ScoreCount, 'bin' | 'label' | 'count'>>;
};

export const copyAppended = (rows: readonly AppendedCounts[]): Copy[] =>
  copyOf('monitoring.appended_counts', APPENDED_COLUMNS, rows, (into, { profile, scores, ...of }) => {
    into.time(of.hour);
    into.int4(profile.length + scores.length);
    into.word(of.model);
    into.word(of.version);
    into.word(of.environment);
    into.list('int4', scores, ({ bin }) => into.int4(bin));
    into.list('int2', scores, ({ label }) => into.int2(label));
    into.list('int8', scores, ({ count }) => into.int8(count));
    into.list('text', profile, ({ variable }) => into.word(variable));
    into.list('int4', profile, ({ bin }) => into.int4(bin));
    into.list('int8', profile, ({ count }) => into.int8(count));
  });
