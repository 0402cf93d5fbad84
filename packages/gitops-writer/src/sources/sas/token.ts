import { type Clock, FairwayError } from '@fairway/core';
import type { Remote, RemoteAnswer } from '@fairway/remote';
import { refusalOf } from './refusal.ts';
import type { SasLogon } from './settings.ts';

/** When a token is renewed, as a share of the life that the logon gave it: 3,599 s and 14,399 s have been seen, so it is read. */
const RENEW_AT = 0.8;
/** After a renewal that failed while the token is still good. */
const HOLD_OFF_MS = 30_000;

type Given = { readonly token: Token; readonly refresh?: string };
type Token = { readonly value: string; readonly renewAt: number; readonly endsAt: number };

export type Tokens = {
  /** `Bearer …`; logs on when there is no token yet, or when it is time for a new one. */
  authorization(): Promise<string>;
  /** The API has refused this one: the next call logs on, unless a newer one is there already. */
  forget(authorization: string | undefined): void;
  /** What must never be seen: the token, and what it was got with. */
  secrets(): string[];
};

/** Logs on by the form of the token endpoint, one logon at a time however many calls wait for it. */
export function tokens(logon: SasLogon, server: Pick<Remote, 'call'>, clock: Clock): Tokens {
  let { form } = logon;
  let current: Token | undefined;
  let pending: Promise<Token> | undefined;

  const renew = async (): Promise<Token> => {
    const { token, refresh } = await logOn({ ...logon, form }, server, clock);
    if (form.grant_type === 'refresh_token' && refresh !== undefined) form = { ...form, refresh_token: refresh };
    current = token;
    return token;
  };
  const fresh = (): Promise<Token> => {
    pending ??= renew().finally(() => {
      pending = undefined;
    });
    return pending;
  };

  return {
    authorization: async () => {
      const now = clock.now();
      if (current !== undefined && now < current.renewAt) return `Bearer ${current.value}`;
      const old = current;
      const token = await fresh().catch((error: unknown) => {
        // The logon is away for a moment, and the old token is good for the last fifth of its life.
        if (old === undefined || old !== current || now >= old.endsAt) throw error;
        current = { ...old, renewAt: now + HOLD_OFF_MS };
        return old;
      });
      return `Bearer ${token.value}`;
    },
    forget: (authorization) => {
      if (current !== undefined && authorization === `Bearer ${current.value}`) current = undefined;
    },
    secrets: () => {
      const { password = '', refresh_token: refresh = '' } = form;
      return [current?.value ?? '', logon.client.secret, password, refresh].filter((secret) => secret !== '');
    },
  };
}

async function logOn({ form, client }: SasLogon, server: Pick<Remote, 'call'>, clock: Clock): Promise<Given> {
  const answer = await server.call('POST', '/SASLogon/oauth/token', {
    headers: { authorization: basic(client) },
    body: { form },
    // A logon changes nothing that a second one would break, except that a used refresh token may be void.
    repeat: form.grant_type !== 'refresh_token',
  });
  return tokenOf(answer, form, clock.now());
}

/** As they are: SAS Logon does not undo the form encoding that RFC 6749 (2.3.1) asks for. */
const basic = ({ id, secret }: SasLogon['client']): string =>
  `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;

function tokenOf(answer: RemoteAnswer, form: SasLogon['form'], now: number): Given {
  const body = (typeof answer.data === 'object' && answer.data !== null ? answer.data : {}) as Record<string, unknown>;
  const { access_token: value, expires_in: seconds, refresh_token: refresh } = body;
  // A status of 200 with an error in the body has been seen behind portals, so the body decides.
  if (answer.status >= 300 || typeof value !== 'string' || value === '') throw logonRefused(answer, form);
  const life = typeof seconds === 'number' && seconds > 0 ? seconds * 1_000 : Number.POSITIVE_INFINITY;
  const token = { value, renewAt: now + life * RENEW_AT, endsAt: now + life };
  return typeof refresh === 'string' && refresh !== '' ? { token, refresh } : { token };
}

/** SAS says "Bad credentials" for a wrong user and for a wrong client alike. */
const MEND: Readonly<Record<SasLogon['form']['grant_type'], string>> = {
  client_credentials: 'check SAS_CLIENT_ID and SAS_CLIENT_SECRET, and that the client may use this grant',
  password: 'check SAS_USERNAME, SAS_PASSWORD and, where it is set, SAS_CLIENT_ID with its secret',
  refresh_token: 'the refresh token has probably expired: log on once more and set SAS_REFRESH_TOKEN anew',
};

function logonRefused(answer: RemoteAnswer, { grant_type: grant }: SasLogon['form']): FairwayError {
  const { status, says, isPage } = refusalOf(answer);
  if (status >= 500) {
    return new FairwayError('registry.unavailable', `The SAS logon (SAS_URL) fails (${status}): ${says}.`);
  }
  const isEmpty = answer.status < 300 && !/"error"/.test(answer.text);
  const why = isPage
    ? `it answers with ${says}; check SAS_URL`
    : `${isEmpty ? 'its answer has no access_token' : says}; ${MEND[grant]}`;
  return new FairwayError(
    'registry.unavailable',
    `The SAS logon (SAS_URL, ${grant}) gives no token (${status}): ${why}.`,
    {
      detail: { status, grant },
    },
  );
}
