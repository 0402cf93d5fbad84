import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type EnvOf, type EnvSpec, readEnv } from './env.ts';
import type { Logger } from './log.ts';

export type SecretFiles<S extends EnvSpec> = {
  readonly source: NodeJS.ProcessEnv;
  readonly spec: S;
  /** Settings whose new value a running process can take; false: not this one. */
  readonly renew?: { readonly [K in keyof S]?: (value: EnvOf<S>[K]) => boolean };
  /** Ends the process in good order, so that its supervisor starts it again with the new values. */
  readonly end: () => void;
  readonly log: Logger;
  readonly everyMs?: number;
  /** Settings that are the path of a file although they are not called `…_FILE`. */
  readonly paths?: readonly (keyof S & string)[];
};

/** Files on tmpfs, a few hundred bytes each. A mounted Secret changes by a symbolic link, which no watch of a file would see. */
const EVERY_MS = 2_000;

/**
 * Looks at the files behind `NAME_FILE` and takes what has changed once two looks agree: by `renew`, else by `end`. Values that
 * are no use are told once, and the process goes on with those it has. Answers how to stop looking.
 */
export function watchSecretFiles<const S extends EnvSpec>(options: SecretFiles<S>): () => void {
  const { source, spec, renew = {}, end, log, everyMs = EVERY_MS, paths = [] } = options;
  const files = Object.keys(spec).flatMap((name) => {
    const file = fileOf(source, name, paths);
    return file === undefined ? [] : [{ name, file }];
  });
  const names = files.map(({ name }) => name);
  let used = prints(files);
  let seen = used;
  let told = '';
  const look = () => {
    const now = prints(files);
    const settled = now.join() === seen.join();
    seen = now;
    const changed = names.filter((_, index) => now[index] !== used[index]);
    if (!settled || changed.length === 0) return;
    const env = usable(source, spec);
    if (typeof env === 'string') {
      if (told !== now.join())
        log.warn({ settings: changed, reason: env }, 'changed secrets are no use, the old ones stay');
      told = now.join();
      return;
    }
    used = now;
    const taken = changed.filter((name) => renewal<S>(renew, name)?.(env[name as keyof S]) === true);
    if (taken.length > 0) log.info({ settings: taken }, 'changed secrets are in use');
    const left = changed.filter((name) => !taken.includes(name));
    if (left.length === 0) return;
    log.info({ settings: left }, 'secrets have changed, ending to start again with them');
    clearInterval(timer);
    end();
  };
  const timer = setInterval(look, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

const renewal = <S extends EnvSpec>(renew: NonNullable<SecretFiles<S>['renew']>, name: string) =>
  Object.hasOwn(renew, name) ? renew[name as keyof S] : undefined;

/** Settings that are themselves the path of a file, such as a key for SSH, count too. */
const fileOf = (source: NodeJS.ProcessEnv, name: string, paths: readonly string[]): string | undefined =>
  source[`${name}_FILE`] || (name.endsWith('_FILE') || paths.includes(name) ? source[name] : undefined) || undefined;

/** What the files hold, without holding it. */
const prints = (files: readonly { readonly file: string }[]): string[] =>
  files.map(({ file }) => {
    try {
      return createHash('sha256').update(readFileSync(file)).digest('hex');
    } catch {
      return 'unreadable';
    }
  });

function usable<const S extends EnvSpec>(source: NodeJS.ProcessEnv, spec: S): EnvOf<S> | string {
  try {
    return readEnv(source, spec);
  } catch (error) {
    return (error as Error).message;
  }
}
