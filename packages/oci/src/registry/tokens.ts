import type { Clock } from '@fairway/core';
import { type RemoteAnswer, remote } from '@fairway/remote';
import { z } from 'zod';
import { imageError } from '../errors.ts';
import type { ImageName } from '../names.ts';
import { type Challenge, challenges } from './challenge.ts';
import type { Credential, Credentials } from './credentials.ts';
import { reasonOf } from './refusal.ts';

/** What a call needs to be allowed: reading or writing `at`, and reading `from` when a blob is mounted from there. */
export type Access = { readonly at: ImageName; readonly push?: boolean; readonly from?: ImageName };

export type TokenOptions = {
  readonly host: string;
  readonly isSecure: boolean;
  readonly credentials: Credentials;
  readonly clock: Clock;
  readonly caFile?: string | undefined;
  readonly setting: string;
};
/** Proofs for one registry, kept until shortly before they end; who asks for the same one at once shares the question. */
export type Tokens = {
  /** `authorization` for a call; undefined while the registry has not asked for one. */
  header(access: Access): Promise<string | undefined>;
  /** After a 401 to a call that carried `used`: a new header, or undefined when there is nothing else to show. */
  renewed(access: Access, answer: RemoteAnswerHead, used: string | undefined): Promise<string | undefined>;
  secrets(): string[];
};
type RemoteAnswerHead = Pick<RemoteAnswer, 'headers'>;
type Held = { readonly header: string; readonly until: number };
type Asked = { readonly realm: URL; readonly service: string | undefined; readonly scopes: readonly string[] };

/** Without `expires_in` a token holds for a minute (token authentication specification). */
const DEFAULT_SECONDS = 60;
/** A call that begins just before the end must still arrive; a quarter of a short life is kept back. */
const MARGIN_MS = 10_000;
const MOST_HELD = 1_000;

export function tokens(options: TokenOptions): Tokens {
  let challenge: Challenge | undefined;
  let secret: string | undefined;
  const bearers = bearerTokens(options);
  const header = async (access: Access): Promise<string | undefined> => {
    if (challenge === undefined) return undefined;
    const credential = await options.credentials(access.at);
    secret = secretOf(credential);
    if (credential?.kind === 'bearer') return `Bearer ${credential.token}`;
    if (challenge.scheme === 'bearer') return bearers.header(access, challenge, credential);
    return credential?.kind === 'basic' ? basic(credential) : undefined;
  };
  return {
    header,
    renewed: async (access, { headers }, used) => {
      const asked = challenges(headers['www-authenticate'] ?? '');
      challenge = asked.find(({ scheme }) => scheme === 'bearer') ?? asked.find(({ scheme }) => scheme === 'basic');
      if (used !== undefined) await bearers.forget(access, used);
      const fresh = await header(access);
      return fresh === used ? undefined : fresh;
    },
    secrets: () => [...(secret === undefined ? [] : [secret]), ...bearers.secrets()],
  };
}

function bearerTokens(options: TokenOptions) {
  const { clock } = options;
  const held = new Map<string, Promise<Held>>();
  /** What calls carry now; it must not be seen in an error. */
  const shown = new Map<string, string>();
  const ask = async (access: Access, challenge: Challenge, credential: Credential | undefined): Promise<Held> => {
    const begun = clock.now();
    const asked = { ...endpoint(options, challenge), scopes: scopesOf(access) };
    const { token, seconds } = await tokenFrom(options, asked, credential);
    shown.set(keyOf(access), token);
    return { header: `Bearer ${token}`, until: begun + seconds * 1_000 - Math.min(MARGIN_MS, seconds * 250) };
  };
  const drop = (key: string) => {
    held.delete(key);
    shown.delete(key);
  };
  return {
    header: async (access: Access, challenge: Challenge, credential: Credential | undefined): Promise<string> => {
      const key = keyOf(access);
      const known = held.get(key);
      const fresh = known === undefined ? undefined : await known.catch(() => undefined);
      if (fresh !== undefined && fresh.until > clock.now()) return fresh.header;
      // Who waited for the same one may have asked meanwhile; from here to the `set` nobody comes between.
      const others = held.get(key);
      if (others !== undefined && others !== known) return (await others).header;
      if (held.size >= MOST_HELD) drop(held.keys().next().value as string);
      const asking = ask(access, challenge, credential);
      held.set(key, asking);
      asking.catch(() => held.get(key) === asking && drop(key));
      return (await asking).header;
    },
    /** Only the one that was refused: another call may have got a new one meanwhile. */
    forget: async (access: Access, used: string): Promise<void> => {
      const known = await held.get(keyOf(access))?.catch(() => undefined);
      if (known?.header === used) drop(keyOf(access));
    },
    secrets: () => [...shown.values()],
  };
}

const keyOf = (access: Access): string => scopesOf(access).join(' ');

const basic = ({ user, password }: { user: string; password: string }): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

const secretOf = (credential: Credential | undefined): string | undefined =>
  credential?.kind === 'basic' ? credential.password : credential?.token;

const scopesOf = ({ at, push, from }: Access): string[] => [
  `repository:${at.path}:${push === true ? 'pull,push' : 'pull'}`,
  ...(from === undefined || from.path === at.path ? [] : [`repository:${from.path}:pull`]),
];

function endpoint({ host, isSecure, setting }: TokenOptions, { params }: Challenge): Omit<Asked, 'scopes'> {
  const { realm = '', service } = params;
  if (!URL.canParse(realm) || !/^https?:$/.test(new URL(realm).protocol)) {
    throw imageError(
      `The image registry ${host} (${setting}) names no token server in its answer 401; ask who runs it.`,
    );
  }
  const url = new URL(realm);
  if (isSecure && url.protocol === 'http:') {
    throw imageError(
      `The image registry ${host} (${setting}) names the token server ${url.origin}, where a password would travel unprotected; it must be https.`,
    );
  }
  return { realm: url, service };
}

const tokenAnswer = z.looseObject({
  token: z.string().min(1).optional(),
  access_token: z.string().min(1).optional(),
  expires_in: z.number().positive().optional(),
});

async function tokenFrom(
  options: TokenOptions,
  asked: Asked,
  credential: Credential | undefined,
): Promise<{ token: string; seconds: number }> {
  const { caFile, setting, host } = options;
  const name = `The token server of the image registry ${host}`;
  const secret = secretOf(credential);
  const secrets = () => (secret === undefined ? [] : [secret]);
  const server = remote({ base: asked.realm.origin, name, setting, caFile, secrets });
  try {
    const answer = await (credential?.kind === 'identity' ? refreshed : granted)(server.call, asked, credential);
    const given = tokenAnswer.safeParse(answer.data);
    const token = given.data?.token ?? given.data?.access_token;
    if (answer.status === 200 && token !== undefined)
      return { token, seconds: given.data?.expires_in ?? DEFAULT_SECONDS };
    throw noToken(options, asked, credential, answer);
  } finally {
    server.close();
  }
}

type Call = ReturnType<typeof remote>['call'];

/** OAuth 2 with a refresh token, which is what `docker login` keeps as identitytoken. */
function refreshed(call: Call, { realm, service, scopes }: Asked, credential: Credential | undefined) {
  const token = credential?.kind === 'identity' ? credential.token : '';
  const form = { grant_type: 'refresh_token', refresh_token: token, client_id: 'fairway', scope: scopes.join(' ') };
  return call('POST', realm.href, { body: { form: { ...form, ...(service === undefined ? {} : { service }) } } });
}

function granted(call: Call, { realm, service, scopes }: Asked, credential: Credential | undefined) {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  return call('GET', url.href, credential?.kind === 'basic' ? { headers: { authorization: basic(credential) } } : {});
}

function noToken(
  { host, setting }: TokenOptions,
  { realm, scopes }: Asked,
  credential: Credential | undefined,
  answer: RemoteAnswer,
) {
  const who = credential === undefined ? 'there are none' : 'they may be wrong, or not enough';
  const what = answer.status === 200 ? 'answered 200 without a token' : `answered ${answer.status}`;
  return imageError(
    `The token server ${realm.origin} of the image registry ${host} (${setting}) ${what} for ${scopes.join(' ')}${reasonOf(answer)}; look at the credentials for ${host}: ${who}.`,
    answer.status >= 500 ? 'retryable' : 'terminal',
  );
}
