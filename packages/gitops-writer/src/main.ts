import { readEnv, runService, watchSecretFiles } from '@fairway/core';
import { openWorld } from './adapters.ts';
import { WRITER_ENV } from './config.ts';
import { pinoLogger } from './log.ts';
import { buildWriter } from './writer.ts';

/** What the registries' settings hold that no log may show. */
const REGISTRY_SECRETS = [
  'SAS_CLIENT_SECRET',
  'SAS_PASSWORD',
  'SAS_REFRESH_TOKEN',
  'MLFLOW_PASSWORD',
  'MLFLOW_TOKEN',
  'MLFLOW_WEBHOOK_SECRET',
  'MLFLOW_WEBHOOK_SECRET_PREVIOUS',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
] as const;

const boot = pinoLogger('info', []);
try {
  const env = readEnv(process.env, WRITER_ENV);
  const secrets = [
    env.WRITER_TOKEN,
    ...env.WRITER_CREDENTIALS.flatMap(({ token, secret }) => [token, secret].filter((one) => one !== undefined)),
    ...(env.FORGE_TOKEN === undefined ? [] : [env.FORGE_TOKEN]),
    env.WEBHOOK_SECRET,
    ...(env.WEBHOOK_SECRET_PREVIOUS === undefined ? [] : [env.WEBHOOK_SECRET_PREVIOUS]),
    ...REGISTRY_SECRETS.flatMap((name) => env[name] ?? []),
    ...(env.ANSWER_SECRET === undefined ? [] : [env.ANSWER_SECRET]),
    new URL(env.QUEUE_URL).password,
    ...[env.NOTIFY_WEBHOOK_URL, env.NOTIFY_WEBHOOK_SECRET].filter((one) => one !== undefined),
    ...(env.TEAMS_WEBHOOK_URL === undefined ? [] : [env.TEAMS_WEBHOOK_URL]),
  ];
  const log = pinoLogger(env.LOG_LEVEL, secrets);
  const world = openWorld(env, process.env['PATH'], log);
  const writer = buildWriter(env, world, log, (port) => process.send?.({ ready: true, port }));
  // Another replica goes on meanwhile: turns are claimed in PostgreSQL.
  const end = () => void process.kill(process.pid, 'SIGTERM');
  watchSecretFiles({ source: process.env, spec: WRITER_ENV, paths: ['GOOGLE_APPLICATION_CREDENTIALS'], end, log });
  await runService(writer, log, process, env.FAIRWAY_DEBUG);
} catch (error) {
  boot.error({ reason: (error as Error).message }, 'could not start');
  process.exitCode = 1;
}
