import { Redis } from 'ioredis';
import { join } from 'node:path';
import { FairwayError, redact, urlOrigin } from '@fairway/core';
import { ENTRY } from './layout.ts';
import { createDatabase, databaseName, dropDatabase, postgresUrl } from './postgres/server.ts';
import { hasRedisServer } from './redis/server.ts';
import type { Ports, Secrets } from './secrets.ts';
import type { ProcessSpec } from './supervisor.ts';

/** Where the stack keeps rows and queues: its own embedded servers, or the ones it was given. */
export type Backing = {
  readonly databaseUrl: string;
  readonly queueUrl: string;
  readonly queuePrefix: string;
  /** Removes what this stack made on servers that are not its own. */
  forget(): Promise<void>;
};

/** Servers that the user configured; both optional. */
export type Configured = { readonly databaseUrl: string | undefined; readonly redisUrl: string | undefined };

/** Real servers from the environment: `DATABASE_URL`, `REDIS_URL`. */
export function configured(env: NodeJS.ProcessEnv): Configured {
  return {
    databaseUrl: checked('DATABASE_URL', env.DATABASE_URL, ['postgres:', 'postgresql:']),
    redisUrl: checked('REDIS_URL', env.REDIS_URL, ['redis:', 'rediss:']),
  };
}

function checked(name: string, value: string | undefined, schemes: readonly string[]): string | undefined {
  if (value === undefined || value === '') return undefined;
  if (URL.canParse(value) && schemes.includes(new URL(value).protocol)) return value;
  throw new FairwayError(
    'config.invalid',
    `${name} is not usable: it must be a URL that starts with ${schemes[0]}//, or be unset.`,
  );
}

/** The embedded database process, unless a server was given. */
export function databaseProcess(dir: string, ports: Ports, secrets: Secrets): ProcessSpec {
  return {
    name: 'database',
    entry: ENTRY.database,
    url: `postgres://127.0.0.1:${ports.database}/fairway`,
    env: { DATA_DIR: join(dir, 'postgres'), PORT: String(ports.database), PASSWORD: secrets.database },
  };
}

/** The embedded Redis process where the program exists and no server was given; else the queue lives in PostgreSQL. */
export function queueProcess(
  dir: string,
  ports: Ports,
  secrets: Secrets,
  configured: Configured,
): ProcessSpec | undefined {
  if (configured.redisUrl !== undefined || !hasRedisServer()) return undefined;
  return {
    name: 'queue',
    entry: ENTRY.queue,
    url: `redis://127.0.0.1:${ports.redis}`,
    env: { DATA_DIR: join(dir, 'redis'), PORT: String(ports.redis), PASSWORD: secrets.redis },
  };
}

/** Makes the stack's databases and checks the queue server; call once the embedded servers run. */
export async function prepareBacking(options: {
  readonly dir: string;
  readonly ports: Ports;
  readonly secrets: Secrets;
  readonly configured: Configured;
  readonly embeddedRedis: boolean;
}): Promise<Backing> {
  const { dir, ports, secrets, configured } = options;
  const name = databaseName(dir);
  const server = configured.databaseUrl ?? postgresUrl(ports.database, secrets.database);
  const databaseUrl = await givenDatabase(server, name, configured.databaseUrl !== undefined);
  const redisUrl = configured.redisUrl ?? `redis://:${secrets.redis}@127.0.0.1:${ports.redis}`;
  const onRedis = configured.redisUrl !== undefined || options.embeddedRedis;
  return {
    databaseUrl,
    // The agents get a database of their own for the queue: they have no business with the stored predictions.
    queueUrl: onRedis ? redisUrl : await givenDatabase(server, `${name}_queue`, configured.databaseUrl !== undefined),
    queuePrefix: name,
    forget: () => forget(configured, name),
  };
}

/** Whether the configured servers can be used at all; asked before anything is written or started. */
export async function checkConfigured({ databaseUrl, redisUrl }: Configured): Promise<void> {
  if (databaseUrl !== undefined)
    await givenDatabase(databaseUrl, new URL(databaseUrl).pathname.slice(1) || 'postgres', true);
  if (redisUrl !== undefined) await withRedis(redisUrl, (redis) => redis.ping());
}

/** Removes what a stack of this folder made on configured servers. Quiet where nothing is there. */
export async function forget(configured: Configured, name: string): Promise<void> {
  if (configured.databaseUrl !== undefined) {
    for (const database of [name, `${name}_queue`]) await dropDatabase(configured.databaseUrl, database);
  }
  if (configured.redisUrl !== undefined) await dropPrefix(configured.redisUrl, name);
}

async function givenDatabase(server: string, name: string, given: boolean): Promise<string> {
  try {
    return await createDatabase(server, name);
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    const what = given ? `DATABASE_URL (${urlOrigin(server)})` : 'The embedded PostgreSQL';
    const mend =
      code === '42501'
        ? 'let its user create databases (ALTER ROLE … CREATEDB)'
        : 'check that the server runs and that user and password are right, or unset DATABASE_URL to use the embedded one';
    throw new FairwayError(
      'database.unavailable',
      `${what} cannot be used (${redact(message || code || 'no answer')}): ${mend}.`,
    );
  }
}

async function withRedis<T>(url: string, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: 5000,
    maxRetriesPerRequest: 0,
  });
  let reason = '';
  redis.on('error', (error: Error) => (reason ||= error.message));
  try {
    await redis.connect();
    return await use(redis);
  } catch (error) {
    throw new FairwayError(
      'queue.unavailable',
      `REDIS_URL (${urlOrigin(url)}) cannot be used (${redact(reason || (error as Error).message)}): check that the server runs and that the password is right, or unset REDIS_URL.`,
    );
  } finally {
    redis.disconnect();
  }
}

const dropPrefix = (url: string, prefix: string) =>
  withRedis(url, async (redis) => {
    for await (const keys of redis.scanStream({ match: `${prefix}:*`, count: 500 }) as AsyncIterable<string[]>) {
      if (keys.length > 0) await redis.unlink(...keys);
    }
  });
