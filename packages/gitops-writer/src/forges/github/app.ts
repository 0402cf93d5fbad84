import type { KeyObject } from 'node:crypto';
import { type Clock, FairwayError } from '@fairway/core';
import { SignJWT } from 'jose';
import { z } from 'zod';
import type { GitCredentials } from '../../ports.ts';
import { isOk, parsed, saying } from '../http/answer.ts';
import { type ForgeClient, forgeClient } from '../http/client.ts';
import type { GithubAddress } from './address.ts';

export type GithubAppAccess = {
  readonly appId: string;
  readonly installationId: string;
  /** RSA, as GitHub hands it out. */
  readonly privateKey: KeyObject;
  /** owner/name: tokens are good for this repository only. */
  readonly repository: string;
  readonly address: GithubAddress;
  readonly clock: Clock;
};

export type InstallationTokens = {
  readonly current: GitCredentials;
  /** Forgets a token that GitHub no longer takes. */
  readonly refused: (token: string) => void;
};

/** What a token may do; less than the App may, should the App be allowed more. */
const PERMISSIONS = { contents: 'write', pull_requests: 'write', statuses: 'write' };
/** GitHub takes ten minutes at most, and its clock may be behind ours. */
const JWT_MS = { before: 60_000, after: 540_000 };
/** A new token is asked for this long before the old one ends; the old one serves a while yet if that fails. */
const EARLY_MS = 300_000;
const LAST_MS = 30_000;

const tokenSchema = z.object({ token: z.string().min(1), expires_at: z.string() });
type Token = { readonly token: string; readonly endsAt: number };

/** Tokens of a GitHub App's installation, each kept until shortly before its end (an hour); who asks together waits for one. */
export function installationTokens(access: GithubAppAccess): InstallationTokens {
  const { address, clock } = access;
  const call = forgeClient({
    base: address.api,
    headers: { accept: 'application/vnd.github+json' },
    credentials: {
      current: async () => ({ user: access.appId, token: await appJwt(access) }),
      header: (token) => ({ authorization: `Bearer ${token}` }),
    },
    limits: address.limits,
    clock,
  });
  let kept: Token | undefined;
  let running: Promise<Token> | undefined;
  const renew = async (): Promise<Token> => {
    try {
      kept = await newToken(call, access);
      return kept;
    } catch (error) {
      if (kept !== undefined && clock.now() < kept.endsAt - LAST_MS) return kept;
      throw error;
    } finally {
      running = undefined;
    }
  };
  return {
    current: async () => {
      const good = kept !== undefined && clock.now() < kept.endsAt - EARLY_MS ? kept : undefined;
      const { token } = good ?? (await (running ??= renew()));
      return { user: 'x-access-token', token };
    },
    refused: (token) => {
      if (kept?.token === token) kept = undefined;
    },
  };
}

function appJwt({ appId, privateKey, clock }: GithubAppAccess): Promise<string> {
  const now = clock.now();
  return new SignJWT()
    .setProtectedHeader({ alg: 'RS256' })
    .setIssuer(appId)
    .setIssuedAt(Math.floor((now - JWT_MS.before) / 1_000))
    .setExpirationTime(Math.floor((now + JWT_MS.after) / 1_000))
    .sign(privateKey);
}

async function newToken(call: ForgeClient, access: GithubAppAccess): Promise<Token> {
  const { appId, installationId, repository, clock } = access;
  const answer = await call('POST', `/app/installations/${encodeURIComponent(installationId)}/access_tokens`, {
    body: { repositories: [repository.split('/').at(-1)], permissions: PERMISSIONS },
    kind: 'read',
  });
  if (!isOk(answer)) {
    const message = `GitHub gives no token to App ${appId}, installation ${installationId} (${answer.status}: ${saying(answer.data)}); check GITHUB_APP_ID, GITHUB_APP_INSTALLATION_ID and GITHUB_APP_PRIVATE_KEY, and that the App is installed on ${repository} with the rights that docs/guide.md names.`;
    throw new FairwayError('forge.refused', message, { disposition: 'retryable' });
  }
  const { token, expires_at } = parsed(tokenSchema, 'a token for the GitHub App', answer);
  // How long it lasts is told by GitHub's clock; ours may be off.
  const sentAt = Date.parse(answer.headers['date'] ?? '') || clock.now();
  return { token, endsAt: clock.now() + Date.parse(expires_at) - sentAt };
}
