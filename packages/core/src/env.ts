import { readFileSync } from 'node:fs';
import { FairwayError } from './errors.ts';

/** Reads one variable: the raw text (undefined when unset or empty) to a value, or a problem in words. */
export type Reader<T> = (raw: string | undefined) => { value: T } | { problem: string };

/** Name → reader, plus what the variable is for; the guide's table is made from it. */
export type EnvSpec = Record<string, { readonly read: Reader<unknown>; readonly about: string }>;
export type EnvOf<S extends EnvSpec> = { [K in keyof S]: S[K] extends { read: Reader<infer T> } ? T : never };

/**
 * Reads a whole environment and reports **all** problems at once as one `config.invalid` error.
 * `NAME_FILE` may point to a file that holds the value of `NAME` (mounted secrets); values never appear in the message.
 */
export function readEnv<const S extends EnvSpec>(source: NodeJS.ProcessEnv, spec: S): EnvOf<S> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, { read, about }] of Object.entries(spec)) {
    const raw = fromFileOrEnv(source, name);
    const result = 'problem' in raw ? raw : read(raw.value);
    if ('problem' in result) problems.push(`${name} ${result.problem} (${about}).`);
    else values[name] = result.value;
  }
  if (problems.length > 0) {
    throw new FairwayError('config.invalid', `The configuration is not usable:\n  ${problems.join('\n  ')}`, {
      detail: { problems },
    });
  }
  return values as EnvOf<S>;
}

function fromFileOrEnv(source: NodeJS.ProcessEnv, name: string): { value: string | undefined } | { problem: string } {
  const file = source[`${name}_FILE`];
  if (file === undefined || file === '') return { value: source[name] === '' ? undefined : source[name] };
  try {
    return { value: readFileSync(file, 'utf8').replace(/\r?\n$/, '') || undefined };
  } catch {
    return { problem: `cannot be read from the file that ${name}_FILE names; check the path and its permissions` };
  }
}

type Of<T> = { readonly read: Reader<T>; readonly about: string };
const missingValue = { problem: 'is not set' } as const;

export const text = (about: string, fallback?: string): Of<string> => ({
  about,
  read: (raw) => (raw !== undefined ? { value: raw } : fallback !== undefined ? { value: fallback } : missingValue),
});

export const optionalText = (about: string): Of<string | undefined> => ({ about, read: (raw) => ({ value: raw }) });

export const integer = (about: string, range: { min: number; max: number; fallback?: number }): Of<number> => ({
  about,
  read: (raw) => {
    if (raw === undefined) return range.fallback === undefined ? missingValue : { value: range.fallback };
    const value = Number(raw);
    return /^-?\d+$/.test(raw) && value >= range.min && value <= range.max
      ? { value }
      : { problem: `must be a whole number from ${range.min} to ${range.max}` };
  },
});

export const choice = <const T extends string>(about: string, options: readonly T[], fallback?: T): Of<T> => ({
  about,
  read: (raw) => {
    if (raw === undefined) return fallback === undefined ? missingValue : { value: fallback };
    const found = options.find((option) => option === raw);
    return found === undefined ? { problem: `must be one of ${options.join(', ')}` } : { value: found };
  },
});

export const flag = (about: string, fallback: boolean): Of<boolean> => ({
  about,
  read: (raw) => {
    if (raw === undefined) return { value: fallback };
    if (raw === 'true' || raw === 'false') return { value: raw === 'true' };
    return { problem: 'must be true or false' };
  },
});

/** A URL with one of the given schemes (`['http', 'https']`). */
export const url = (about: string, schemes: readonly string[]): Of<string> => ({
  about,
  read: (raw) => (raw === undefined ? missingValue : checkUrl(raw, schemes)),
});

export const optionalUrl = (about: string, schemes: readonly string[]): Of<string | undefined> => ({
  about,
  read: (raw) => (raw === undefined ? { value: undefined } : checkUrl(raw, schemes)),
});

function checkUrl(raw: string, schemes: readonly string[]): { value: string } | { problem: string } {
  const wanted = `must be a URL that starts with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`;
  if (!URL.canParse(raw)) return { problem: wanted };
  return schemes.includes(new URL(raw).protocol.slice(0, -1)) ? { value: raw } : { problem: wanted };
}

/** What every service with an HTTP API reads. Port 0 takes a free one. */
export const SERVICE_ENV = {
  HOST: text('address to listen on', '0.0.0.0'),
  PORT: integer('port to listen on', { min: 0, max: 65_535, fallback: 8080 }),
  LOG_LEVEL: choice('least severity that is logged', ['debug', 'info', 'warn', 'error'], 'info'),
  FAIRWAY_DEBUG: flag('print the stack of a fatal error', false),
} as const;
