import { FairwayError } from '@fairway/core';
import type { Configured } from '../stack/backing.ts';

/** Real servers from the environment: `DATABASE_URL`, `REDIS_URL`. */
export function configured(env: NodeJS.ProcessEnv): Configured {
  return {
    databaseUrl: checked('DATABASE_URL', env.DATABASE_URL, ['postgres:', 'postgresql:']),
    redisUrl: checked('REDIS_URL', env.REDIS_URL, ['redis:', 'rediss:']),
  };
}

function checked(name: string, value: string | undefined, schemes: readonly string[]): string | undefined {
  if (value === undefined || value === '') return undefined;
  if (URL.canParse(value) && schemes.includes(new URL(value).protocol)) return value;
  throw new FairwayError(
    'config.invalid',
    `${name} is not usable: it must be a URL that starts with ${schemes[0]}//, or be unset.`,
  );
}
