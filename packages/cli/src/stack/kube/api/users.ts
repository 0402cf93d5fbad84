import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '@fairway/core';
import { SERVICE_ACCOUNT } from '../kinds.ts';
import { isRecord, kubeTime } from '../objects.ts';
import { refusal } from '../refusal.ts';
import type { Registry } from '../store/registry.ts';
import { notFound } from '../store/validate.ts';
import { type ApiAnswer, type ApiCall, parseJson } from './resources.ts';

/** Who asks. */
export type User = { readonly name: string; readonly groups: readonly string[] };

export type Users = {
  /** The user of a bearer token. Throws 401 for a token that is not ours, has expired, or whose account is gone. */
  of(token: string): User;
  /** `POST …/serviceaccounts/<name>/token`: a token for the account (TokenRequest). */
  token(call: ApiCall): ApiAnswer;
};

/** Authenticated users are in it, as in every cluster. */
export const AUTHENTICATED = 'system:authenticated';
export const MASTERS = 'system:masters';

/** The user that a service account is. */
export const accountUser = (namespace: string, name: string): User => ({
  name: `system:serviceaccount:${namespace}:${name}`,
  groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, AUTHENTICATED],
});

const digest = (text: string) => createHash('sha256').update(text).digest();

type Claims = { readonly namespace: string; readonly name: string; readonly uid: string; readonly exp: number };

/** One token may do anything; service accounts get tokens that are signed with it. */
export function usersOf(registry: Registry, adminToken: string, clock: Clock): Users {
  const admin = digest(adminToken);
  const sign = (payload: string) => createHmac('sha256', adminToken).update(payload).digest('base64url');
  return {
    of(token) {
      if (timingSafeEqual(digest(token), admin)) return { name: 'admin', groups: [MASTERS, AUTHENTICATED] };
      const [payload = '', signature = ''] = token.split('.');
      if (!timingSafeEqual(digest(sign(payload)), digest(signature))) throw unauthorized();
      const { namespace, name, uid, exp } = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Claims;
      const account = registry.get(SERVICE_ACCOUNT, namespace, name);
      if (account?.metadata.uid !== uid || clock.now() >= exp * 1000) throw unauthorized();
      return accountUser(namespace, name);
    },
    token({ target: { namespace = '', name = '' }, body }) {
      const account = registry.get(SERVICE_ACCOUNT, namespace, name) ?? notFound(SERVICE_ACCOUNT, name);
      const asked = parseJson(body);
      const spec = isRecord(asked) ? asked['spec'] : undefined;
      const wanted = isRecord(spec) ? Number(spec['expirationSeconds'] ?? 3600) : 3600;
      if (!(wanted >= 600)) throw tooShort();
      const exp = Math.floor(clock.now() / 1000) + wanted;
      const claims: Claims = { namespace, name, uid: account.metadata.uid, exp };
      const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
      const status = { token: `${payload}.${sign(payload)}`, expirationTimestamp: kubeTime(exp * 1000) };
      const answer = { kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', metadata: {} };
      return { code: 201, body: { ...answer, spec: { expirationSeconds: wanted }, status } };
    },
  };
}

const unauthorized = () => refusal('Unauthorized', 'Unauthorized');

const tooShort = () => {
  const message = 'Invalid value: may not specify a duration less than 10 minutes';
  const causes = [{ reason: 'FieldValueInvalid', message, field: 'spec.expirationSeconds' }];
  return refusal('Invalid', `TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: ${message}`, {
    group: 'authentication.k8s.io',
    kind: 'TokenRequest',
    causes,
  });
};
