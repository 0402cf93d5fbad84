/** The embedded forge's process: composition root. */
import { choice, flag, integer, lifecycle, optionalUrl, readEnv, runService, systemClock, text } from '@fairway/core';
import { jsonLogger, LOG_LEVELS } from '../web/log.ts';
import { forgeServer } from './server.ts';
import { readUsers } from './users.ts';

const boot = jsonLogger((line) => process.stderr.write(line), 'info', { service: 'forge' });
try {
  const env = readEnv(process.env, {
    HOST: text('address to listen on', '0.0.0.0'),
    PORT: integer('port to listen on, 0 for any', { min: 0, max: 65_535 }),
    DATA_DIR: text('folder of the repositories'),
    FORGE_USERS: text('JSON list [{name, token, admin?, person?}]; FORGE_USERS_FILE names a file with it'),
    FORGE_URL: optionalUrl('public base URL for links', ['http', 'https']),
    LOG_LEVEL: choice('least level of the log', LOG_LEVELS, 'info'),
    FAIRWAY_DEBUG: flag('print stacks', false),
  });
  const log = jsonLogger((line) => process.stdout.write(line), env.LOG_LEVEL, { service: 'forge' });
  const forge = forgeServer({
    host: env.HOST,
    port: env.PORT,
    dataDir: env.DATA_DIR,
    users: readUsers(env.FORGE_USERS),
    url: env.FORGE_URL,
    path: process.env['PATH'] ?? '',
    clock: systemClock,
    log,
  });
  const ready = { name: 'ready', start: () => void process.send?.({ ready: true, port: forge.port }), stop: () => {} };
  await runService(lifecycle([forge, ready], log), log, process, env.FAIRWAY_DEBUG);
} catch (error) {
  boot.error({ reason: (error as Error).message }, 'could not start');
  process.exitCode = 1;
}
