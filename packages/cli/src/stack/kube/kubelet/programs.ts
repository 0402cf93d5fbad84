import { FairwayError } from '@fairway/core';
import { isRecord } from '../objects.ts';
import type { Program, Programs } from './command.ts';

/** The program table as it stands in PROGRAMS_FILE, or one sentence that says which entry is wrong. */
export function checkPrograms(value: unknown): Programs {
  if (!isRecord(value)) throw wrong('must be a JSON object: entrypoint base name → program');
  for (const [name, program] of Object.entries(value)) {
    if (!isRecord(program) || !isTexts(program['argv']) || program['argv'].length === 0)
      throw wrong(`needs argv, a list of texts, for ${JSON.stringify(name)}`);
    if (program['confineArgs'] !== undefined && !isTexts(program['confineArgs']))
      throw wrong(`needs confineArgs to be a list of texts for ${JSON.stringify(name)}`);
    const env = program['env'] ?? {};
    if (!isRecord(env) || !isTexts(Object.values(env)))
      throw wrong(`needs env to be an object of texts for ${JSON.stringify(name)}`);
  }
  return value as Readonly<Record<string, Program>>;
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

const wrong = (what: string) => new FairwayError('config.invalid', `PROGRAMS_FILE ${what}.`);
