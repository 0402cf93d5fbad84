import { isMainThread } from 'node:worker_threads';
import { asFairwayError, type Logger, readEnv, runService, watchSecretFiles } from '@fairway/core';
import { pino } from 'pino';
import { type AgentEnv, ENVIRONMENT, hashKey, queueBackend } from './config.ts';

/** The same image is the smoke-test Job's: `fairway-agent smoke`. It ends with what started it, as all processes do. */
async function smokeTest(): Promise<void> {
  const { smoke } = await import('./smoke/smoke.ts');
  const gone = () => process.exit(1);
  process.once('disconnect', gone);
  process.exitCode = await smoke(process.env, (line) => process.stdout.write(`${line}\n`));
  process.off('disconnect', gone);
  if (process.connected) process.disconnect();
}

/** `fairway-agent tail`: rows of scoring logs instead of a port; in a process of its own, so that no prediction waits for it. */
async function tailing(): Promise<void> {
  const { tailAgent, TAIL_ENVIRONMENT } = await import('./tail-agent.ts');
  const env = readEnv(process.env, TAIL_ENVIRONMENT);
  const log = pino({ level: env.LOG_LEVEL, base: { service: 'agent', mode: 'tail' } });
  // No prediction runs through it, and its checkpoints survive: it ends for a new secret, as the services do.
  const end = () => void process.kill(process.pid, 'SIGTERM');
  watchSecretFiles({ source: process.env, spec: TAIL_ENVIRONMENT, end, log });
  await runService(await tailAgent(env, log), log, process, env.FAIRWAY_DEBUG);
}

function setUp(thread: string): { env: AgentEnv; log: Logger } {
  const env = readEnv(process.env, ENVIRONMENT);
  queueBackend(env);
  hashKey(env);
  const log = pino({ level: env.LOG_LEVEL, base: { service: 'agent', agent: env.AGENT_NAME, thread } });
  // Predictions run through this process: nothing that was not caught elsewhere may end it.
  process.on('uncaughtException', ({ message, stack }) => log.error({ reason: message, stack }, 'uncaught, going on'));
  return { env, log };
}

/** This file is the entry of both threads: the forwarding thread, and the capture thread that it starts from here. */
async function main(): Promise<void> {
  if (!isMainThread) {
    const { env, log } = setUp('capture');
    const { captureThread } = await import('./capture-thread.ts');
    const { watchAgentSecrets } = await import('./secrets.ts');
    return captureThread(env, (take) => watchAgentSecrets(process.env, take, log), log);
  }
  if (process.argv[2] === 'smoke') return smokeTest();
  try {
    if (process.argv[2] === 'tail') return await tailing();
    const { env, log } = setUp('forwarding');
    const { forwarder } = await import('./forwarder.ts');
    await runService(forwarder(env, log, new URL(import.meta.url)), log, process, env.FAIRWAY_DEBUG);
  } catch (error) {
    process.stderr.write(`${asFairwayError(error).message}\n`);
    process.exitCode = 1;
  }
}

await main();
