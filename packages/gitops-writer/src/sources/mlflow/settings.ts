import { accessSync, constants, readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { type EnvOf, FairwayError, optionalText, optionalUrl } from '@fairway/core';
import { z } from 'zod';

const HTTP = ['http', 'https'] as const;

/** Where the MLflow tracking server is, who we are there, and where the artifacts it names may be fetched from. */
export const MLFLOW_ENV = {
  MLFLOW_URL: optionalUrl('address of the MLflow tracking server, as its clients have it (MLFLOW_TRACKING_URI)', HTTP),
  MLFLOW_USERNAME: optionalText('user name at the MLflow server; goes with MLFLOW_PASSWORD'),
  MLFLOW_PASSWORD: optionalText('password at the MLflow server; goes with MLFLOW_USERNAME'),
  MLFLOW_TOKEN: optionalText('bearer token for the MLflow server, instead of user name and password'),
  MLFLOW_CA_FILE: optionalText(
    'certificate authorities (PEM) that are trusted for MLFLOW_URL instead of the system ones',
  ),
  MLFLOW_WEBHOOK_SECRET: optionalText('secret that MLflow signs its registry webhooks with'),
  MLFLOW_WEBHOOK_SECRET_PREVIOUS: optionalText('the secret before it, while MLflow still signs with that one'),
  MLFLOW_FILE_ROOT: optionalText('folder below which file: artifacts may lie; without it none is read'),
  AWS_ACCESS_KEY_ID: optionalText('access key for s3: artifacts'),
  AWS_SECRET_ACCESS_KEY: optionalText('secret key that goes with AWS_ACCESS_KEY_ID'),
  AWS_SESSION_TOKEN: optionalText('session token, where the access key is a temporary one'),
  AWS_REGION: optionalText('region of the buckets; us-east-1 when not set'),
  S3_ENDPOINT_URL: optionalUrl('address of an S3 store that is not Amazon, e.g. MinIO', HTTP),
  S3_CA_FILE: optionalText('certificate authorities (PEM) that are trusted for S3_ENDPOINT_URL'),
  GOOGLE_APPLICATION_CREDENTIALS: optionalText('key file (JSON) of the service account that reads gs: artifacts'),
  GCS_ENDPOINT_URL: optionalUrl('address of Google Cloud Storage, where it is not the public one', HTTP),
};

type MlflowEnv = EnvOf<typeof MLFLOW_ENV>;

export type S3Settings = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
  readonly region: string;
  readonly endpoint: string | undefined;
  readonly caFile: string | undefined;
};

export type GcsSettings = {
  readonly clientEmail: string;
  /** PEM, PKCS #8. */
  readonly privateKey: string;
  readonly privateKeyId: string | undefined;
  readonly tokenUri: string;
  readonly endpoint: string;
};

export type MlflowSettings = {
  /** Without a slash at its end. */
  readonly url: string;
  /** Value of the header, if any. */
  readonly authorization: string | undefined;
  readonly caFile: string | undefined;
  /** The present one first; none: webhooks are refused. */
  readonly webhookSecrets: readonly string[];
  readonly fileRoot: string | undefined;
  readonly s3: S3Settings | undefined;
  readonly gcs: GcsSettings | undefined;
  /** What must never be seen in an error. */
  readonly secrets: readonly string[];
};

/** Undefined when there is no MLFLOW_URL. Checks what only makes sense together; all problems at once as `config.invalid`. */
export function mlflowSettings(env: MlflowEnv): MlflowSettings | undefined {
  const problems = [...addressProblems(env), ...authProblems(env), ...s3Problems(env), ...fileProblems(env)];
  const gcs = gcsSettings(env, problems);
  if (problems.length > 0) {
    throw new FairwayError('config.invalid', `The configuration is not usable:\n  ${problems.join('\n  ')}`, {
      detail: { problems },
    });
  }
  if (env.MLFLOW_URL === undefined) return undefined;
  return {
    url: env.MLFLOW_URL.replace(/\/+$/, ''),
    authorization: authorizationOf(env),
    caFile: env.MLFLOW_CA_FILE,
    webhookSecrets: [env.MLFLOW_WEBHOOK_SECRET, env.MLFLOW_WEBHOOK_SECRET_PREVIOUS].filter(isGiven),
    fileRoot: env.MLFLOW_FILE_ROOT,
    s3: s3Settings(env),
    gcs,
    secrets: [
      authorizationOf(env)?.split(' ')[1],
      env.MLFLOW_PASSWORD,
      env.MLFLOW_TOKEN,
      env.AWS_SECRET_ACCESS_KEY,
      env.AWS_SESSION_TOKEN,
    ].filter(isGiven),
  };
}

const isGiven = (value: string | undefined): value is string => value !== undefined;

function authorizationOf({ MLFLOW_TOKEN: token, MLFLOW_USERNAME: user, MLFLOW_PASSWORD: password }: MlflowEnv) {
  if (token !== undefined) return `Bearer ${token}`;
  return user === undefined ? undefined : `Basic ${Buffer.from(`${user}:${password ?? ''}`).toString('base64')}`;
}

const ONLY_HERE = [
  'MLFLOW_USERNAME',
  'MLFLOW_PASSWORD',
  'MLFLOW_TOKEN',
  'MLFLOW_CA_FILE',
  'MLFLOW_WEBHOOK_SECRET',
  'MLFLOW_WEBHOOK_SECRET_PREVIOUS',
  'MLFLOW_FILE_ROOT',
] as const;

function addressProblems(env: MlflowEnv): string[] {
  const { MLFLOW_URL: url } = env;
  if (url === undefined) {
    const given = ONLY_HERE.filter((name) => env[name] !== undefined);
    return given.length === 0 ? [] : [`${given.join(', ')} set, and MLFLOW_URL is not: set it, or unset the others.`];
  }
  const { username, password, search, hash } = new URL(url);
  if (username + password + search + hash === '') return [];
  return ['MLFLOW_URL must hold neither a user nor a password nor a query; use MLFLOW_USERNAME and MLFLOW_PASSWORD.'];
}

function authProblems(env: MlflowEnv): string[] {
  const { MLFLOW_USERNAME: user, MLFLOW_PASSWORD: password, MLFLOW_TOKEN: token } = env;
  if (token !== undefined && (user !== undefined || password !== undefined)) {
    return ['MLFLOW_TOKEN and MLFLOW_USERNAME or MLFLOW_PASSWORD are both set: keep the token, or the other two.'];
  }
  if ((user === undefined) !== (password === undefined)) {
    return ['MLFLOW_USERNAME and MLFLOW_PASSWORD go together: set both or neither.'];
  }
  if (user?.includes(':') === true)
    return ['MLFLOW_USERNAME must have no colon: basic authentication cannot carry it.'];
  if (env.MLFLOW_WEBHOOK_SECRET === undefined && env.MLFLOW_WEBHOOK_SECRET_PREVIOUS !== undefined) {
    return ['MLFLOW_WEBHOOK_SECRET_PREVIOUS is set and MLFLOW_WEBHOOK_SECRET is not: set the present one.'];
  }
  return [];
}

function s3Problems(env: MlflowEnv): string[] {
  const { AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: secret, S3_ENDPOINT_URL: endpoint } = env;
  if (env.MLFLOW_URL === undefined) return [];
  if ((key === undefined) !== (secret === undefined)) {
    return ['AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together: set both or neither.'];
  }
  const names = ['S3_ENDPOINT_URL', 'S3_CA_FILE', 'AWS_SESSION_TOKEN'] as const;
  const given = names.filter((name) => env[name] !== undefined);
  const region = env.AWS_REGION ?? 'us-east-1';
  return [
    ...(key === undefined && given.length > 0
      ? [`${given.join(', ')} set, and AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not: set both.`]
      : []),
    ...(endpoint === undefined || new URL(endpoint).pathname === '/'
      ? []
      : ['S3_ENDPOINT_URL must have no path: buckets are added to it.']),
    ...(/^[a-z0-9-]{1,40}$/.test(region) ? [] : ['AWS_REGION must be the name of a region, e.g. eu-central-1.']),
  ];
}

function s3Settings(env: MlflowEnv): S3Settings | undefined {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return {
    accessKeyId,
    secretAccessKey,
    sessionToken: env.AWS_SESSION_TOKEN,
    region: env.AWS_REGION ?? 'us-east-1',
    endpoint: env.S3_ENDPOINT_URL?.replace(/\/+$/, ''),
    caFile: env.S3_CA_FILE,
  };
}

function fileProblems(env: MlflowEnv): string[] {
  const { MLFLOW_FILE_ROOT: root } = env;
  const unreadable = (['MLFLOW_CA_FILE', 'S3_CA_FILE', 'MLFLOW_FILE_ROOT'] as const).filter((name) => {
    const path = env[name];
    try {
      if (path !== undefined) accessSync(path, constants.R_OK);
      return false;
    } catch {
      return true;
    }
  });
  return [
    ...unreadable.map((name) => `${name} names what cannot be read; check the path and its permissions.`),
    ...(root === undefined || isAbsolute(root) ? [] : ['MLFLOW_FILE_ROOT must be an absolute path.']),
  ];
}

/** https://cloud.google.com/iam/docs/keys-create-delete: the file that Google hands out for a service account. */
const KEY_FILE = z.object({
  type: z.literal('service_account'),
  client_email: z.string().min(1),
  private_key: z.string().includes('PRIVATE KEY'),
  private_key_id: z.string().optional(),
  token_uri: z.url({ protocol: /^https?$/ }).default('https://oauth2.googleapis.com/token'),
});

function gcsSettings(env: MlflowEnv, problems: string[]): GcsSettings | undefined {
  const { GOOGLE_APPLICATION_CREDENTIALS: file, GCS_ENDPOINT_URL: endpoint, MLFLOW_URL: url } = env;
  if (file === undefined || url === undefined) return undefined;
  try {
    const key = KEY_FILE.parse(JSON.parse(readFileSync(file, 'utf8')));
    return {
      clientEmail: key.client_email,
      privateKey: key.private_key,
      privateKeyId: key.private_key_id,
      tokenUri: key.token_uri,
      endpoint: (endpoint ?? 'https://storage.googleapis.com').replace(/\/+$/, ''),
    };
  } catch {
    // What a parser says could show a part of the key.
    problems.push('GOOGLE_APPLICATION_CREDENTIALS must name the JSON key file of a service account, readable for us.');
    return undefined;
  }
}
