import { accessSync, constants } from 'node:fs';
import { type EnvOf, FairwayError, flag, optionalText, text } from '@fairway/core';
import {
  type Credentials,
  dockerCredentials,
  hostOf,
  type ImageStore,
  imageName,
  isLoopback,
  layoutStore,
  registryStore,
} from '@fairway/oci';

/** Where model images go, and how their registry is reached. */
export const IMAGE_ENV = {
  IMAGE_LAYOUT: optionalText('folder of an OCI image layout; without it images go to the registry of IMAGE_REPOSITORY'),
  IMAGE_REPOSITORY: text('prefix of model image names'),
  REGISTRY_AUTH_FILE: optionalText('config.json of Docker with the credentials of image registries'),
  REGISTRY_USER: optionalText('user name for the registry of IMAGE_REPOSITORY'),
  REGISTRY_PASSWORD: optionalText('password or token for the registry of IMAGE_REPOSITORY'),
  REGISTRY_CA_FILE: optionalText(
    'certificate authorities (PEM) that are trusted for image registries instead of the system ones',
  ),
  REGISTRY_PLAIN_HTTP: flag('whether a registry on this machine is spoken to without TLS', false),
};

type ImageEnv = EnvOf<typeof IMAGE_ENV>;

/** Checks what only makes sense together, all problems at once as `config.invalid`, and opens the place. */
export function openImages(env: ImageEnv): ImageStore {
  const problems = env.IMAGE_LAYOUT === undefined ? registryProblems(env) : layoutProblems(env);
  if (problems.length > 0) {
    throw new FairwayError('config.invalid', `The configuration is not usable:\n  ${problems.join('\n  ')}`, {
      detail: { problems },
    });
  }
  if (env.IMAGE_LAYOUT !== undefined) return layoutStore(env.IMAGE_LAYOUT);
  return registryStore({
    plainHttp: env.REGISTRY_PLAIN_HTTP,
    caFile: env.REGISTRY_CA_FILE,
    credentials: credentialsOf(env),
  });
}

const OF_A_REGISTRY = ['REGISTRY_AUTH_FILE', 'REGISTRY_USER', 'REGISTRY_PASSWORD', 'REGISTRY_CA_FILE'] as const;

function layoutProblems(env: ImageEnv): string[] {
  const idle = [
    ...OF_A_REGISTRY.filter((name) => env[name] !== undefined),
    ...(env.REGISTRY_PLAIN_HTTP ? ['REGISTRY_PLAIN_HTTP'] : []),
  ];
  if (idle.length === 0) return [];
  return [`${idle.join(', ')} cannot be used with IMAGE_LAYOUT, which is a folder: leave out the one or the other.`];
}

function registryProblems(env: ImageEnv): string[] {
  const { IMAGE_REPOSITORY: repository, REGISTRY_USER: user, REGISTRY_PASSWORD: password } = env;
  const host = hostOf(`${repository}/`);
  const problems: string[] = [];
  if (host === undefined || !isName(repository)) {
    problems.push(
      `IMAGE_REPOSITORY names no registry: write it as registry.example.com/models, in lower case and without https://, or set IMAGE_LAYOUT (${IMAGE_ENV.IMAGE_LAYOUT.about}).`,
    );
  } else if (env.REGISTRY_PLAIN_HTTP && !isLoopback(host)) {
    problems.push(
      `REGISTRY_PLAIN_HTTP is for registries on this machine, and IMAGE_REPOSITORY names ${host}: images and credentials would travel unprotected. Leave it out, and set REGISTRY_CA_FILE when its certificate is your own.`,
    );
  }
  if ((user === undefined) !== (password === undefined))
    problems.push('REGISTRY_USER and REGISTRY_PASSWORD belong together: set both or neither.');
  if (user !== undefined && env.REGISTRY_AUTH_FILE !== undefined)
    problems.push('REGISTRY_AUTH_FILE and REGISTRY_USER both say who we are to the registry: leave out one.');
  return [...problems, ...fileProblems(env)];
}

function fileProblems(env: ImageEnv): string[] {
  return (['REGISTRY_AUTH_FILE', 'REGISTRY_CA_FILE'] as const).flatMap((name) => {
    const file = env[name];
    if (file === undefined) return [];
    try {
      accessSync(file, constants.R_OK);
      return [];
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return [`${name} (${IMAGE_ENV[name].about}) cannot be read at ${file}: ${code}.`];
    }
  });
}

function isName(repository: string): boolean {
  try {
    // As an image is called in it.
    return imageName(`${repository}/m`).path !== '';
  } catch {
    return false;
  }
}

function credentialsOf(env: ImageEnv): Credentials {
  const { REGISTRY_AUTH_FILE: file, REGISTRY_USER: user, REGISTRY_PASSWORD: password } = env;
  if (file !== undefined) return dockerCredentials(file, 'REGISTRY_AUTH_FILE');
  if (user === undefined || password === undefined) return () => Promise.resolve(undefined);
  const own = hostOf(`${env.IMAGE_REPOSITORY}/`);
  // The base may come from elsewhere: nobody but our registry gets to know the password.
  return ({ host }) => Promise.resolve(host === own ? { kind: 'basic', user, password } : undefined);
}
