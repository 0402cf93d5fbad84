import { integer, optionalUrl, SERVICE_ENV, text, url } from '@fairway/core';
import { NOTIFY_ENV } from './notify-config.ts';
import { SAS_ENV } from './sas-tables.ts';

const queuePrefix = (raw: string) =>
  /^[a-z_][a-z0-9_]{0,62}$/.test(raw)
    ? { value: raw }
    : { problem: 'must be 1 to 63 lower-case letters, digits and underscores, not starting with a digit' };

/** The recorder's environment (docs/contracts.md). */
export const RECORDER_ENV = {
  ...SERVICE_ENV,
  DATABASE_URL: url('PostgreSQL of schema monitoring', ['postgres', 'postgresql']),
  QUEUE_URL: url('queue of capture packs', ['redis', 'rediss', 'postgres', 'postgresql']),
  QUEUE_PREFIX: {
    about: 'key prefix on Redis, schema on PostgreSQL; the same as the agents have',
    read: (raw: string | undefined) => queuePrefix(raw ?? 'fairway'),
  },
  WRITER_URL: url('HTTP API of the writer', ['http', 'https']),
  WRITER_TOKEN: text('token of the writer'),
  MONITOR_TOKEN: text('token that callers of this service send'),
  EARLY_LABEL_DAYS: integer('days that a label waits for its prediction', { min: 1, max: 3650, fallback: 30 }),
  RETENTION_DAYS: integer('days that predictions are kept; counts and verdicts stay', {
    min: 7,
    max: 36_500,
    fallback: 3650,
  }),
};

/** The monitor's environment (docs/contracts.md). */
export const MONITOR_ENV = {
  ...SERVICE_ENV,
  DATABASE_URL: url('PostgreSQL of schema monitoring', ['postgres', 'postgresql']),
  WRITER_URL: url('HTTP API of the writer', ['http', 'https']),
  WRITER_TOKEN: text('token of the writer'),
  MONITOR_TOKEN: text('token that callers of this service send'),
  SNAPSHOT_DIR: text('volume that retrain jobs read snapshots from'),
  ...NOTIFY_ENV,
  ...SAS_ENV,
  DASHBOARD_URL: optionalUrl('public address of this dashboard, for links on cards', ['http', 'https']),
  SETTLE_MS: integer('a window is judged when its counts have been quiet for so long', {
    min: 0,
    max: 86_400_000,
    fallback: 30_000,
  }),
};
