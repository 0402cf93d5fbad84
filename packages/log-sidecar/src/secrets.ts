import { type EnvOf, type Logger, watchSecretFiles } from '@fairway/core';
import { ENVIRONMENT } from './config.ts';

const { QUEUE_URL, QUEUE_PREFIX, CAPTURE_HASH_KEY } = ENVIRONMENT;
const SECRETS = { QUEUE_URL, QUEUE_PREFIX, CAPTURE_HASH_KEY };
export type AgentSecrets = EnvOf<typeof SECRETS>;

/** Has `take` told of secrets that change from now on. */
export type WatchSecrets = (take: (changed: Partial<AgentSecrets>) => void) => void;

/**
 * Tells the agent's secrets as their files change. All are taken in place: to end and be started again, as the services do, would
 * cost the predictions that run through this process.
 */
export function watchAgentSecrets(source: NodeJS.ProcessEnv, take: Parameters<WatchSecrets>[0], log: Logger): void {
  const taking = <K extends keyof AgentSecrets>(name: K): ((value: AgentSecrets[K]) => boolean) => {
    return (value) => {
      take({ [name]: value });
      return true;
    };
  };
  const renew = {
    QUEUE_URL: taking('QUEUE_URL'),
    QUEUE_PREFIX: taking('QUEUE_PREFIX'),
    CAPTURE_HASH_KEY: taking('CAPTURE_HASH_KEY'),
  };
  watchSecretFiles({ source, spec: SECRETS, renew, end: () => {}, log });
}
