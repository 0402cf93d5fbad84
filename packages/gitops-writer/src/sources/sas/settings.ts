import { accessSync, constants } from 'node:fs';
import { choice, type EnvOf, FairwayError, optionalText, text } from '@fairway/core';

/** How the writer reaches SAS Model Manager. All of it may be left out; with SAS_URL the rest is looked at together. */
export const SAS_ENV = {
  SAS_URL: { about: 'address of SAS Viya, without a path', read: readSasUrl },
  SAS_GRANT: choice(
    'how the writer logs on to SAS',
    ['client_credentials', 'password', 'refresh_token'],
    'client_credentials',
  ),
  SAS_CLIENT_ID: optionalText('OAuth client of the writer; sas.ec when not set and SAS_GRANT is password'),
  SAS_CLIENT_SECRET: optionalText('secret of that client'),
  SAS_USERNAME: optionalText('user, where SAS_GRANT is password'),
  SAS_PASSWORD: optionalText('password of that user'),
  SAS_REFRESH_TOKEN: optionalText('refresh token, where SAS_GRANT is refresh_token'),
  SAS_CA_FILE: optionalText('certificate authorities (PEM) that are trusted for SAS_URL instead of the system ones'),
  SAS_MESSAGE: text('name of the message event at which SAS workflows wait for the answer', 'fairway'),
};

type SasEnv = EnvOf<typeof SAS_ENV>;

/** What the token endpoint wants: the fields of its form, and the client that Basic authentication names. */
export type SasLogon = {
  readonly form: { readonly grant_type: SasEnv['SAS_GRANT'] } & Readonly<Record<string, string>>;
  readonly client: { readonly id: string; readonly secret: string };
};
export type SasSettings = {
  /** Origin. */
  readonly url: string;
  readonly logon: SasLogon;
  readonly caFile: string | undefined;
  readonly message: string;
};

/** What each grant cannot do without. The client of a password grant may be SAS's own one, which has no secret. */
const NEEDED: Readonly<Record<SasEnv['SAS_GRANT'], ReadonlyArray<keyof SasEnv>>> = {
  client_credentials: ['SAS_CLIENT_ID', 'SAS_CLIENT_SECRET'],
  password: ['SAS_USERNAME', 'SAS_PASSWORD'],
  refresh_token: ['SAS_CLIENT_ID', 'SAS_REFRESH_TOKEN'],
};

/** Undefined: this writer is not connected to SAS. Throws `config.invalid` with everything that is missing in one sentence. */
export function sasSettings(env: SasEnv): SasSettings | undefined {
  const { SAS_URL: url, SAS_GRANT: grant, SAS_CA_FILE: caFile } = env;
  if (url === undefined) return undefined;
  const missing = NEEDED[grant].filter((name) => env[name] === undefined);
  if (missing.length > 0) {
    throw invalid(
      `SAS_URL is set, and ${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not: SAS_GRANT ${grant} needs ${NEEDED[grant].join(' and ')}.`,
    );
  }
  if (caFile !== undefined && !isReadable(caFile)) {
    throw invalid('SAS_CA_FILE names a file that cannot be read; check the path and its permissions.');
  }
  return { url, logon: logonOf(env), caFile, message: env.SAS_MESSAGE };
}

function logonOf(env: SasEnv): SasLogon {
  const { SAS_GRANT: grant_type, SAS_CLIENT_ID: id = 'sas.ec', SAS_CLIENT_SECRET: secret = '' } = env;
  const { SAS_USERNAME: username = '', SAS_PASSWORD: password = '', SAS_REFRESH_TOKEN: refresh_token = '' } = env;
  const own = { client_credentials: {}, password: { username, password }, refresh_token: { refresh_token } };
  return { form: { grant_type, ...own[grant_type] }, client: { id, secret } };
}

function readSasUrl(raw: string | undefined): { value: string | undefined } | { problem: string } {
  if (raw === undefined) return { value: undefined };
  const wanted = 'must be an address such as https://viya.example.com, without path, user and password';
  if (!URL.canParse(raw)) return { problem: wanted };
  const { protocol, origin, pathname, search, hash, username, password } = new URL(raw);
  const rest = [search, hash, username, password].join('');
  return /^https?:$/.test(protocol) && pathname === '/' && rest === '' ? { value: origin } : { problem: wanted };
}

function isReadable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

const invalid = (problem: string): FairwayError =>
  new FairwayError('config.invalid', `The configuration is not usable:\n  ${problem}`, {
    detail: { problems: [problem] },
  });
