import { choice, FairwayError, type EnvOf, type EnvSpec, flag, integer, type Reader, text, url } from '@fairway/core';
import type { Address } from './ports.ts';
import { anyHashed, readRules } from './privacy/rules.ts';

const PREFIX = /^[A-Za-z0-9_.-]{1,63}$/;
const SCHEMA = /^[a-z_][a-z0-9_]{0,62}$/;
/** Below, values could be found by trying all keys. */
const MIN_KEY = 32;
const HOST_AND_PORT = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):([0-9]{1,5})$/;

const readPrefix: Reader<string> = (raw) => {
  const value = raw ?? 'fairway';
  return PREFIX.test(value)
    ? { value }
    : { problem: 'must be 1 to 63 letters, digits, points, hyphens and underscores' };
};

const readUpstream =
  (fallback: string): Reader<Address> =>
  (raw) => {
    const match = HOST_AND_PORT.exec(raw ?? fallback);
    const port = Number(match?.[3]);
    const host = match?.[1] ?? match?.[2];
    return host !== undefined && port >= 1 && port <= 65_535
      ? { value: { host, port } }
      : { problem: `must be host:port, such as ${fallback}` };
  };

const readProbability: Reader<number> = (raw) =>
  /^(?:0(?:\.\d{1,9})?|1(?:\.0{1,9})?)$/.test(raw ?? '1')
    ? { value: Number(raw ?? '1') }
    : { problem: 'must be a number from 0 to 1 with at most 9 decimals, such as 0.1' };

const readKey: Reader<string | undefined> = (raw) =>
  raw === undefined || raw.length >= MIN_KEY ? { value: raw } : { problem: `must have ${MIN_KEY} characters or more` };

const port = (about: string, fallback: number) => integer(about, { min: 1, max: 65_535, fallback });

/** The agent's environment (docs/contracts.md). */
export const ENVIRONMENT = {
  LISTEN_HOST: text('address of the prediction port and of the admin port', '0.0.0.0'),
  LISTEN_PORT: port('port that callers predict on', 9001),
  UPSTREAM: { about: 'address of the model server', read: readUpstream('127.0.0.1:8501') },
  GRPC_LISTEN_PORT: integer('port that callers predict on by gRPC; 0: none', { min: 0, max: 65_535, fallback: 0 }),
  GRPC_UPSTREAM: { about: "address of the model server's gRPC port", read: readUpstream('127.0.0.1:8500') },
  ADMIN_PORT: port('port of /healthz, /readyz, /metrics and /account', 9090),
  SPOOL_DIR: text('folder that survives a restart of the container'),
  SPOOL_SYNC: flag('fdatasync behind each group that is written to the spool', true),
  SPOOL_MAX_HOURS: integer('hours that captured exchanges may wait on the disk for the queue', {
    min: 1,
    max: 8760,
    fallback: 168,
  }),
  QUEUE_URL: url('queue that takes the packs', ['redis', 'rediss', 'postgres', 'postgresql']),
  QUEUE_PREFIX: { about: "the queue's key prefix on Redis, its schema on PostgreSQL", read: readPrefix },
  FAIRWAY_MODEL: text('name of the model that this pod serves'),
  FAIRWAY_ENVIRONMENT: text('environment that this pod belongs to'),
  AGENT_NAME: text('name of this agent among all, such as the pod name'),
  TRUST_EVENT_TIME: flag('take the business time from x-fairway-time', false),
  CAPTURE_SAMPLING: { about: 'probability that an exchange is recorded', read: readProbability },
  CAPTURE_REDACT: {
    about: 'variables whose values are dropped, hashed or cut before anything is written',
    read: readRules,
  },
  CAPTURE_HASH_KEY: { about: 'key of the hashes of CAPTURE_REDACT', read: readKey },
  CAPTURE_BODY_BYTES: integer('bytes kept of each body', { min: 1024, max: 16_777_216, fallback: 1_048_576 }),
  LOG_LEVEL: choice('least severity that is logged', ['debug', 'info', 'warn', 'error'], 'info'),
  FAIRWAY_DEBUG: flag('show stack traces', false),
} as const satisfies EnvSpec;

export type AgentEnv = EnvOf<typeof ENVIRONMENT>;

/** The queue's backend by the scheme of its URL. Throws `config.invalid` when the prefix is no schema name on PostgreSQL. */
export function queueBackend({
  QUEUE_URL,
  QUEUE_PREFIX,
}: Pick<AgentEnv, 'QUEUE_URL' | 'QUEUE_PREFIX'>): 'redis' | 'postgres' {
  if (QUEUE_URL.startsWith('redis')) return 'redis';
  if (SCHEMA.test(QUEUE_PREFIX)) return 'postgres';
  throw new FairwayError(
    'config.invalid',
    'QUEUE_PREFIX is the schema of a queue on PostgreSQL: use lower-case letters, digits and underscores, starting with a letter.',
  );
}

/** Whether an agent with this CAPTURE_REDACT needs the key of the hashes; one that it cannot read needs none. */
export function needsHashKey(redact: string | undefined): boolean {
  const read = readRules(redact);
  return 'value' in read && anyHashed(read.value);
}

/** The key of the hashes. Throws `config.invalid` when a rule hashes and there is none. */
export function hashKey({
  CAPTURE_REDACT,
  CAPTURE_HASH_KEY,
}: Pick<AgentEnv, 'CAPTURE_REDACT' | 'CAPTURE_HASH_KEY'>): string {
  if (CAPTURE_HASH_KEY !== undefined) return CAPTURE_HASH_KEY;
  if (!anyHashed(CAPTURE_REDACT)) return '';
  throw new FairwayError(
    'config.invalid',
    'CAPTURE_REDACT hashes a variable, which needs a key: set CAPTURE_HASH_KEY or CAPTURE_HASH_KEY_FILE to a secret of 32 characters or more.',
  );
}
