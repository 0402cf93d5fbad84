import type { EnvOf, Exchange } from '@fairway/core';
import { ENVIRONMENT, hashKey } from '../config.ts';
import { createTally } from '../tally.ts';
import { redactExchange } from './redaction.ts';

const { CAPTURE_REDACT, CAPTURE_HASH_KEY } = ENVIRONMENT;

/** The settings of redaction, for who reads no others of the agent. */
export const REDACTION_ENVIRONMENT = { CAPTURE_REDACT, CAPTURE_HASH_KEY };

/** What an exchange made of rows becomes before it leaves memory. Throws `config.invalid` when a rule hashes and there is no key. */
export function beforeLeaving(env: EnvOf<typeof REDACTION_ENVIRONMENT>): (exchange: Exchange) => Exchange {
  const redaction = { rules: env.CAPTURE_REDACT, key: hashKey(env), tally: createTally() };
  return (exchange) => (redaction.rules.size === 0 ? exchange : redactExchange(exchange, redaction));
}
