import { redact, type Logger } from '@fairway/core';

const LEVELS = { debug: 20, info: 30, warn: 40, error: 50 } as const;
export type Level = keyof typeof LEVELS;
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const satisfies readonly Level[];

/** One JSON object a line, in pino's shape, with secrets taken out. */
export function jsonLogger(write: (line: string) => void, level: Level, bound: object = {}): Logger {
  const at = (name: Level) => (fields: object, message: string) => {
    if (LEVELS[name] < LEVELS[level]) return;
    write(`${redact(JSON.stringify({ level: LEVELS[name], time: Date.now(), ...bound, ...fields, msg: message }))}\n`);
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => jsonLogger(write, level, { ...bound, ...fields }),
  };
}
