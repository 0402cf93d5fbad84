import { type Clock, FairwayError } from '@fairway/core';
import { type Remote, remote } from '@fairway/remote';
import { importPKCS8, SignJWT } from 'jose';
import { z } from 'zod';
import type { GcsSettings } from '../settings.ts';

const SCOPE = 'https://www.googleapis.com/auth/devstorage.read_only';
const LIFE_S = 3_600;
/** Asked for anew when there is less left. */
const MARGIN_MS = 60_000;

const ANSWER = z.object({ access_token: z.string().min(1), expires_in: z.number().positive().default(LIFE_S) });

/**
 * Access tokens for a service account: a JWT that its key has signed, changed for a token
 * (https://developers.google.com/identity/protocols/oauth2/service-account#httprest). One is asked for at a time, and kept
 * until shortly before its end.
 */
export function gcsTokens(settings: GcsSettings, clock: Clock): () => Promise<string> {
  const { origin } = new URL(settings.tokenUri);
  const server = remote({
    base: origin,
    name: "Google's token endpoint",
    setting: 'GOOGLE_APPLICATION_CREDENTIALS',
    secrets: () => [settings.privateKey],
  });
  let held: { readonly token: string; readonly until: number } | undefined;
  let asking: Promise<string> | undefined;
  const renew = async (): Promise<string> => {
    const { access_token: token, expires_in: seconds } = await exchange(settings, server, clock);
    held = { token, until: clock.now() + seconds * 1_000 - MARGIN_MS };
    return token;
  };
  return () => {
    if (held !== undefined && clock.now() < held.until) return Promise.resolve(held.token);
    asking ??= renew().finally(() => {
      asking = undefined;
    });
    return asking;
  };
}

async function exchange(settings: GcsSettings, server: Remote, clock: Clock): Promise<z.output<typeof ANSWER>> {
  const { status, data } = await server.call('POST', settings.tokenUri, {
    body: {
      form: { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: await assertion(settings, clock) },
    },
    repeat: true,
  });
  const answer = ANSWER.safeParse(data);
  if (status === 200 && answer.success) return answer.data;
  const { error } = z
    .object({ error: z.string().max(100).optional() })
    .catch({})
    .parse(data) as { error?: string };
  throw new FairwayError(
    'registry.unavailable',
    `Google's token endpoint gives no token to ${settings.clientEmail}: it answered ${status}${error === undefined ? '' : ` ${error}`}; make a new key for the service account (GOOGLE_APPLICATION_CREDENTIALS), and check the clock.`,
  );
}

async function assertion(
  { clientEmail, privateKey, privateKeyId, tokenUri }: GcsSettings,
  clock: Clock,
): Promise<string> {
  const now = Math.floor(clock.now() / 1_000);
  const header = { alg: 'RS256', typ: 'JWT', ...(privateKeyId === undefined ? {} : { kid: privateKeyId }) };
  try {
    return await new SignJWT({ scope: SCOPE })
      .setProtectedHeader(header)
      .setIssuer(clientEmail)
      .setAudience(tokenUri)
      .setIssuedAt(now)
      .setExpirationTime(now + LIFE_S)
      .sign(await importPKCS8(privateKey, 'RS256'));
  } catch {
    // What it says could show a part of the key.
    throw new FairwayError(
      'config.invalid',
      'The private key in GOOGLE_APPLICATION_CREDENTIALS cannot be used; make a new key (JSON) for the service account.',
    );
  }
}
