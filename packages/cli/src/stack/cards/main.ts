/** The Teams receiver's process: composition root. */
import { choice, flag, integer, lifecycle, readEnv, runService, systemClock, text } from '@fairway/core';
import { jsonLogger, LOG_LEVELS } from '../web/log.ts';
import { cardsServer } from './server.ts';

const boot = jsonLogger((line) => process.stderr.write(line), 'info', { service: 'cards' });
try {
  const env = readEnv(process.env, {
    HOST: text('address to listen on', '0.0.0.0'),
    PORT: integer('port to listen on, 0 for any', { min: 0, max: 65_535 }),
    DATA_DIR: text('folder of the received cards'),
    CARDS_SIG: text('signature in the workflow URL (sig=…)'),
    LOG_LEVEL: choice('least level of the log', LOG_LEVELS, 'info'),
    FAIRWAY_DEBUG: flag('print stacks', false),
  });
  const log = jsonLogger((line) => process.stdout.write(line), env.LOG_LEVEL, { service: 'cards' });
  const { HOST: host, PORT: port, DATA_DIR: dataDir, CARDS_SIG: sig } = env;
  const cards = cardsServer({ host, port, dataDir, sig, clock: systemClock, log });
  const ready = { name: 'ready', start: () => void process.send?.({ ready: true, port: cards.port }), stop: () => {} };
  await runService(lifecycle([cards, ready], log), log, process, env.FAIRWAY_DEBUG);
} catch (error) {
  boot.error({ reason: (error as Error).message }, 'could not start');
  process.exitCode = 1;
}
