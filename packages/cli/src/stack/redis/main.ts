/** The embedded stack's queue process where a `redis-server` program exists: a real Redis that stops with its parent. */
import { integer, lifecycle, readEnv, runService, silentLogger, text } from '@fairway/core';
import { startRedisServer, type RedisServer } from './server.ts';

const env = readEnv(process.env, {
  DATA_DIR: text('folder of the append-only file'),
  PORT: integer('port on loopback', { min: 1, max: 65_535 }),
  PASSWORD: text('password of the server'),
});
const log = { ...silentLogger, error: (fields: object) => console.error(JSON.stringify(fields)) };
let server: RedisServer | undefined;
const queue = {
  name: 'redis',
  start: async () => {
    const onExit = (reason: string) => {
      log.error({ reason });
      process.exit(1);
    };
    server = await startRedisServer({ dataDir: env.DATA_DIR, port: env.PORT, password: env.PASSWORD, onExit });
    process.send?.({ ready: true });
  },
  stop: () => server?.stop(),
};
await runService(lifecycle([queue], silentLogger, 30_000), log, process, false);
