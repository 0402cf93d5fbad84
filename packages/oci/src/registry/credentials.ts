import { readFile } from 'node:fs/promises';
import { FairwayError } from '@fairway/core';
import { z } from 'zod';
import type { ImageName } from '../names.ts';

/** How we show a registry who we are: by name and password, by a refresh token, or by a token that it takes as it is. */
export type Credential =
  | { readonly kind: 'basic'; readonly user: string; readonly password: string }
  | { readonly kind: 'identity'; readonly token: string }
  | { readonly kind: 'bearer'; readonly token: string };
/** Undefined: nobody in particular. */
export type Credentials = (name: ImageName) => Promise<Credential | undefined>;

const entry = z.looseObject({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
  registrytoken: z.string().optional(),
});
const dockerConfig = z.looseObject({
  auths: z.record(z.string(), entry).optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
  credsStore: z.string().optional(),
});
type Entry = z.infer<typeof entry>;

/** Docker's name for its own registry in `auths`. */
const HUB = 'index.docker.io';

/**
 * Credentials from a Docker `config.json`, which is also what a Kubernetes pull secret holds. Read for each question: a mounted
 * secret changes while we run. `setting` names the file. Programs that would be asked (`credHelpers`) are not run.
 */
export function dockerCredentials(file: string, setting: string): Credentials {
  return async (name) => {
    const { auths = {}, credHelpers = {}, credsStore } = await readConfig(file, setting);
    const keys = keysOf(name);
    const helper = keys.find((key) => entryOf(credHelpers, key) !== undefined);
    if (helper !== undefined)
      throw refused(setting, `asks the program docker-credential-${entryOf(credHelpers, helper)}`, name);
    const found = keys.map((key) => entryOf(auths, key)).find((one) => one !== undefined);
    const credential = found === undefined ? undefined : credentialOf(found, setting, name);
    if (credential !== undefined || credsStore === undefined) return credential;
    throw refused(setting, `keeps its passwords in ${credsStore} (credsStore)`, name);
  };
}

async function readConfig(file: string, setting: string): Promise<z.infer<typeof dockerConfig>> {
  try {
    return dockerConfig.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === undefined ? 'it is not what docker login writes' : code;
    throw new FairwayError(
      'config.invalid',
      `The credentials of image registries (${setting}) cannot be read: ${why}.`,
    );
  }
}

/** From the whole name up to its host, as podman has it; Docker knows hosts only. */
function keysOf({ host, path }: ImageName): string[] {
  const parts = [host === 'docker.io' ? HUB : host, ...path.split('/')];
  const keys = parts.map((_, n) => parts.slice(0, parts.length - n).join('/'));
  return host === 'docker.io' ? [...keys, 'docker.io'] : keys;
}

/** `https://registry.example.com/v1/` and `registry.example.com` are the same place. */
function entryOf<T>(among: Readonly<Record<string, T>>, key: string): T | undefined {
  const bare = (text: string) => text.replace(/^https?:\/\//, '').replace(/\/(v[12]\/?)?$/, '');
  return Object.entries(among).find(([name]) => bare(name) === key)?.[1];
}

function credentialOf(found: Entry, setting: string, name: ImageName): Credential | undefined {
  if (found.registrytoken) return { kind: 'bearer', token: found.registrytoken };
  if (found.identitytoken) return { kind: 'identity', token: found.identitytoken };
  if (found.username && found.password !== undefined)
    return { kind: 'basic', user: found.username, password: found.password };
  if (!found.auth) return undefined;
  const plain = Buffer.from(found.auth, 'base64').toString('utf8').replaceAll('\0', '');
  const colon = plain.indexOf(':');
  if (colon > 0) return { kind: 'basic', user: plain.slice(0, colon), password: plain.slice(colon + 1) };
  throw new FairwayError(
    'config.invalid',
    `The entry for ${name.host} in ${setting} is no user and password in base64; write it by docker login.`,
  );
}

const refused = (setting: string, what: string, { host }: ImageName): FairwayError =>
  new FairwayError(
    'config.invalid',
    `The file of ${setting} ${what} for ${host}, which is not run here; put user and password of ${host} under auths.`,
  );
