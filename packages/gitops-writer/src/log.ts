import { type Logger, redact } from '@fairway/core';
import { pino } from 'pino';

/** pino on standard output; every text is redacted, and the given secrets are taken out wherever they appear. */
export function pinoLogger(level: string, secrets: readonly string[]): Logger {
  return pino({
    level,
    base: { service: 'writer' },
    formatters: { level: (label) => ({ level: label }), log: (fields) => redactFields(fields, secrets) },
  });
}

function redactFields(fields: Record<string, unknown>, secrets: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, typeof value === 'string' ? redact(value, secrets) : value]),
  );
}
