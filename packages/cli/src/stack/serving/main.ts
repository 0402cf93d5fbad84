/** The embedded TensorFlow Serving's process: composition root. */
import { choice, flag, integer, lifecycle, readEnv, runService, text } from '@fairway/core';
import { jsonLogger, LOG_LEVELS } from '../web/log.ts';
import { servingServer } from './server.ts';

const boot = jsonLogger((line) => process.stderr.write(line), 'info', { service: 'serving' });
try {
  const env = readEnv(process.env, {
    MODEL_NAME: text('name of the model', 'model'),
    MODEL_BASE_PATH: text('folder that holds <model>/<version>', '/models'),
    REST_HOST: text('address of the REST API', '127.0.0.1'),
    REST_PORT: integer('port of the REST API, 0 for any', { min: 0, max: 65_535, fallback: 8501 }),
    LOG_LEVEL: choice('least level of the log', LOG_LEVELS, 'info'),
    FAIRWAY_DEBUG: flag('print stacks', false),
  });
  const log = jsonLogger((line) => process.stdout.write(line), env.LOG_LEVEL, { service: 'serving' });
  const { MODEL_NAME: model, MODEL_BASE_PATH: basePath, REST_HOST: host, REST_PORT: port } = env;
  const serving = servingServer({ model, basePath, host, port, log });
  await runService(lifecycle([serving], log), log, process, env.FAIRWAY_DEBUG);
} catch (error) {
  boot.error({ reason: (error as Error).message }, 'could not start');
  process.exitCode = 1;
}
