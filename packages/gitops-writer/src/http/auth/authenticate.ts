import { createHash, timingSafeEqual } from 'node:crypto';
import { type Clock, FairwayError } from '@fairway/core';
import type { Nonces } from '../../ports.ts';
import { isSignedBy, SIGNATURE_HEADERS } from '../../signature.ts';
import { type Caller, type Role, ROLES } from '../route.ts';
import type { Credential } from './credentials.ts';

/** How far the clock of a caller who signs may be off. */
const TOLERANCE_S = 300;
/** A timestamp may lie in the future as well; after twice the tolerance it is refused by its age. */
const NONCE_TTL_MS = 2_000 * TOLERANCE_S;

export type Request = {
  readonly method: string;
  /** Path with query, as it came. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
};

/** Answers who calls once it has the body: a signature covers it. */
type Claim = (body: Buffer) => Promise<Caller>;

/**
 * Checks what can be checked before a body is read: the bearer token, or the form of the signature headers. Throws
 * `auth.refused`. Signature headers count before Authorization, which a gateway may have added.
 */
export type Authenticate = (request: Request) => Claim;

export function authenticator(credentials: readonly Credential[], nonces: Nonces, clock: Clock): Authenticate {
  const tokens = credentials.flatMap(({ name, role, token }) =>
    token === undefined ? [] : [{ caller: { name, role }, digest: digest(token) }],
  );
  return (request) => {
    if (request.headers[SIGNATURE_HEADERS.signature] !== undefined) return signed(request, credentials, nonces, clock);
    const given = /^Bearer\s+(\S+)\s*$/i.exec(request.headers['authorization'] ?? '')?.[1] ?? '';
    const presented = digest(given);
    // Every one is compared, so that the time says nothing about which.
    const found = tokens.filter((one) => timingSafeEqual(one.digest, presented))[0];
    if (given === '' || found === undefined) {
      const mend =
        'Send Authorization: Bearer with a token of this writer (WRITER_TOKEN or WRITER_CREDENTIALS), or sign the request.';
      throw new FairwayError('auth.refused', mend);
    }
    return () => Promise.resolve(found.caller);
  };
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

function signed(
  { method, target, headers }: Request,
  credentials: readonly Credential[],
  nonces: Nonces,
  clock: Clock,
): Claim {
  const read = (header: keyof typeof SIGNATURE_HEADERS) => headers[SIGNATURE_HEADERS[header]] ?? '';
  const [name, timestamp, nonce, signature] = [read('key'), read('timestamp'), read('nonce'), read('signature')];
  checkForm(timestamp, nonce, clock);
  const credential = credentials.find((one) => one.name === name && one.secret !== undefined);
  return async (body) => {
    // A key that is not known costs the same time as a wrong signature, and gets the same sentence.
    const right = isSignedBy(credential?.secret ?? '', { method, target, timestamp, nonce, body }, signature);
    if (!right || credential === undefined) {
      const what = `What ${SIGNATURE_HEADERS.signature} holds is not the signature of this request by ${SIGNATURE_HEADERS.key}`;
      throw new FairwayError('auth.refused', `${what}; see "API access" of the guide for what is signed.`);
    }
    if (!(await nonces.use(name, nonce, NONCE_TTL_MS))) {
      const what = `The nonce in ${SIGNATURE_HEADERS.nonce} was used before`;
      throw new FairwayError('auth.refused', `${what}; sign each request with a nonce of its own.`);
    }
    return { name, role: credential.role };
  };
}

function checkForm(timestamp: string, nonce: string, clock: Clock): void {
  const now = Math.floor(clock.now() / 1000);
  const off = /^\d{1,12}$/.test(timestamp) ? Math.abs(now - Number(timestamp)) : Number.POSITIVE_INFINITY;
  if (off > TOLERANCE_S) {
    const wanted = `The time in ${SIGNATURE_HEADERS.timestamp} must be seconds since 1970, at most ${TOLERANCE_S} from ${now}`;
    throw new FairwayError('auth.refused', `${wanted}; set the clock, and sign each request when it is sent.`);
  }
  if (!/^[\w.~+/=-]{16,64}$/.test(nonce)) {
    const wanted = `The nonce in ${SIGNATURE_HEADERS.nonce} must be 16 to 64 letters, digits or any of . _ ~ + / = -`;
    throw new FairwayError('auth.refused', `${wanted}, and new for each request.`);
  }
}

/** Throws `auth.forbidden` when the caller's role does not reach `needed` for what is asked. */
export function checkRole({ name, role }: Caller, needed: Role, what: string): void {
  if (ROLES.indexOf(role) >= ROLES.indexOf(needed)) return;
  const sentence = `Credential ${name} has role ${role}, and ${what} needs ${needed}; ask an administrator of this writer.`;
  throw new FairwayError('auth.forbidden', sentence);
}
