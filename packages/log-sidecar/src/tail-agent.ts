import { performance } from 'node:perf_hooks';
import {
  checkVersion,
  type EnvOf,
  type EnvSpec,
  FairwayError,
  type GroundTruth,
  integer,
  type Lifecycle,
  lifecycle,
  type Logger,
  optionalText,
  optionalUrl,
  type Pack,
  type Reader,
  text,
} from '@fairway/core';
import { AdminServer } from './admin.ts';
import { ENVIRONMENT, queueBackend } from './config.ts';
import type { PackQueue } from './ports.ts';
import { beforeLeaving } from './privacy/before-leaving.ts';
import { openPackQueue } from './pump/open.ts';
import { within } from './pump/within.ts';
import { createTail } from './tail/create.ts';
import { readPatterns } from './tail/find.ts';
import { labelSender, type RefusedLabels } from './tail/labels.ts';
import { tailAccount, tailMetrics } from './tail/metrics.ts';
import { LONGEST_RECORD } from './tail/records.ts';
import type { TailMapping } from './tail/table.ts';
import { ModelVersions } from './tail/versions.ts';

const readDelimiter: Reader<string | undefined> = (raw) => {
  const value = raw === 'tab' || raw === '\\t' ? '\t' : raw;
  return value === undefined || (value.length === 1 && value !== '"' && value !== '\n')
    ? { value }
    : { problem: 'must be one character, or the word tab' };
};

const { LISTEN_HOST, ADMIN_PORT, QUEUE_URL, QUEUE_PREFIX, FAIRWAY_MODEL, FAIRWAY_ENVIRONMENT } = ENVIRONMENT;
const { CAPTURE_REDACT, CAPTURE_HASH_KEY, LOG_LEVEL, FAIRWAY_DEBUG } = ENVIRONMENT;

/** The environment of `fairway-agent tail` (docs/tail.md). */
export const TAIL_ENVIRONMENT = {
  LISTEN_HOST,
  ADMIN_PORT,
  QUEUE_URL,
  QUEUE_PREFIX,
  FAIRWAY_MODEL,
  FAIRWAY_ENVIRONMENT,
  CAPTURE_REDACT,
  CAPTURE_HASH_KEY,
  LOG_LEVEL,
  FAIRWAY_DEBUG,
  TAIL_FILES: text('files to tail: paths or patterns with * and ?, parted by commas'),
  TAIL_STATE_DIR: text('folder of the checkpoints; it survives restarts and belongs to this tail alone'),
  TAIL_MODEL_VERSIONS: text('files modelversion.json of the versions that score, paths or patterns'),
  TAIL_TIME: text('column of the business time'),
  TAIL_SCORE: text('column of the probability that the model gave'),
  TAIL_LABEL: optionalText('column of the true outcome'),
  TAIL_VERSION: optionalText('version that scored all rows'),
  TAIL_VERSION_COLUMN: optionalText('column of the version that scored the row'),
  TAIL_DELIMITER: { about: 'of a CSV, where it is not seen in the header', read: readDelimiter },
  TAIL_POLL_MS: integer('time between two looks at all files', { min: 100, max: 3_600_000, fallback: 2000 }),
  TAIL_LINE_BYTES: integer('longest row', { min: 1024, max: LONGEST_RECORD, fallback: LONGEST_RECORD }),
  TAIL_RECORDER_URL: optionalUrl('recorder that takes the labels', ['http', 'https']),
  TAIL_RECORDER_TOKEN: optionalText('its token'),
} as const satisfies EnvSpec;

export type TailEnv = EnvOf<typeof TAIL_ENVIRONMENT>;

const FLUSH_MS = 1000;
const LINGER_MS = 60_000;
const GRACE_MS = 4000;
const DELIVER_TIMEOUT_MS = 5000;

/** Everything of one tailing process, wired. Throws `config.invalid` when settings do not go together. */
export async function tailAgent(env: TailEnv, log: Logger): Promise<Lifecycle> {
  queueBackend(env);
  const versions = new ModelVersions(env.FAIRWAY_MODEL, readPatterns(env.TAIL_MODEL_VERSIONS), log);
  const queue = await openPackQueue(env.QUEUE_URL, env.QUEUE_PREFIX);
  const deliver = delivery(queue, labelsTo(env));
  const close = async () => within(1000, queue.close(), 'The queue did not close.').catch(() => {});
  const monotonic = () => performance.now();
  const { tail, counts } = createTail(
    {
      patterns: readPatterns(env.TAIL_FILES),
      stateDir: env.TAIL_STATE_DIR,
      mapping: mappingOf(env, versions),
      delimiter: env.TAIL_DELIMITER,
      longest: env.TAIL_LINE_BYTES,
      prepare: beforeLeaving(env),
      pollMs: env.TAIL_POLL_MS,
      flushMs: FLUSH_MS,
      lingerMs: LINGER_MS,
      graceMs: GRACE_MS,
    },
    { log, monotonic, random: Math.random, deliver, close },
  );
  const sources = { counts, state: () => tail.state(), flowing: () => tail.flowing, monotonic };
  const registry = tailMetrics(sources);
  const admin = new AdminServer(
    { host: env.LISTEN_HOST, port: env.ADMIN_PORT },
    () => undefined,
    async (question) => (question === 'metrics' ? registry.metrics() : `${JSON.stringify(tailAccount(sources))}\n`),
  );
  return lifecycle([admin, versions, tail], log);
}

/** Labels follow their pack. */
const delivery = (queue: PackQueue, sendLabels: ReturnType<typeof labelsTo>) =>
  async function deliver(pack: Pack, labels: readonly GroundTruth[]): Promise<RefusedLabels | undefined> {
    await within(DELIVER_TIMEOUT_MS, queue.add(pack), 'The queue did not answer in time.');
    return labels.length > 0 ? sendLabels(labels) : undefined;
  };

function mappingOf(env: TailEnv, versions: ModelVersions): TailMapping {
  const { TAIL_VERSION: fixed, TAIL_VERSION_COLUMN: column } = env;
  if ((fixed === undefined) === (column === undefined)) {
    throw new FairwayError('config.invalid', 'Set one of TAIL_VERSION and TAIL_VERSION_COLUMN: which version scored.');
  }
  return {
    model: env.FAIRWAY_MODEL,
    environment: env.FAIRWAY_ENVIRONMENT,
    time: env.TAIL_TIME,
    score: env.TAIL_SCORE,
    label: env.TAIL_LABEL,
    version: fixed === undefined ? { column: column ?? '' } : { fixed: checkVersion(fixed) },
    versions: () => versions.all(),
  };
}

/** Labels go to the recorder, not through the queue. */
function labelsTo(env: TailEnv): ReturnType<typeof labelSender> {
  const { TAIL_LABEL: label, TAIL_RECORDER_URL: url, TAIL_RECORDER_TOKEN: token } = env;
  if (label === undefined) return async () => undefined;
  if (url === undefined || token === undefined) {
    throw new FairwayError('config.invalid', 'TAIL_LABEL needs TAIL_RECORDER_URL and TAIL_RECORDER_TOKEN.');
  }
  return labelSender(url, token);
}
