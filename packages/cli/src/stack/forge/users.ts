import { FairwayError, sha256 } from '@fairway/core';

/** Someone the forge knows. A `person` is offered on the pages as the one who presses Merge. */
export type User = { readonly id: number; readonly name: string; readonly admin: boolean; readonly person: boolean };

export type Users = {
  readonly all: readonly User[];
  find(name: string): User | undefined;
  /** Who sends this `Authorization` header: a user, nobody (no header), or someone whose credentials are wrong. */
  authenticate(header: string | undefined): User | 'anonymous' | 'wrong';
};

/** Address for commits made in the name of a user, as Gitea's default `NO_REPLY_ADDRESS` has it. */
export const emailOf = (name: string): string => `${name}@noreply.localhost`;

/** Users from the text of the users file: `[{name, token, admin?, person?}]`; a sentence when it is not usable. */
export function readUsers(text: string): Users {
  const entries = parse(text);
  if (!Array.isArray(entries) || !entries.every(isEntry) || new Set(entries.map((e) => e.name)).size < entries.length) {
    throw new FairwayError(
      'config.invalid',
      'FORGE_USERS_FILE must hold a list of {"name": letters, digits, - _ ., "token": at least 8 characters, "admin"?, "person"?} with different names.',
    );
  }
  const all = entries.map(({ name, admin, person }, i) => ({
    id: i + 1,
    name,
    admin: admin === true,
    person: person === true,
  }));
  // Tokens are looked up by their hash, so that the time of a look-up says nothing about them.
  const byToken = new Map(entries.map(({ token }, i) => [sha256(token), all[i]]));
  const of = (token: string) => byToken.get(sha256(token)) ?? 'wrong';
  return {
    all,
    find: (name) => all.find((user) => user.name === name),
    authenticate: (header) =>
      header === undefined ? 'anonymous' : (credentials(header).map(of).find(isUser) ?? 'wrong'),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isUser = (user: User | 'wrong'): user is User => user !== 'wrong';

/** Candidate tokens: `token X`, `Bearer X`, or Basic with the token as password or, as Gitea also takes it, as user name. */
function credentials(header: string): string[] {
  const [, scheme = '', value = ''] = /^(\w+)\s+(\S+)\s*$/.exec(header) ?? [];
  if (/^(token|bearer)$/i.test(scheme)) return [value];
  if (!/^basic$/i.test(scheme)) return [];
  const decoded = Buffer.from(value, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon < 0 ? [] : [decoded.slice(colon + 1), decoded.slice(0, colon)];
}

type Entry = { name: string; token: string; admin?: boolean; person?: boolean };

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false;
  const { name, token } = value as Record<string, unknown>;
  return (
    typeof name === 'string' && /^[A-Za-z0-9][\w.-]{0,38}$/.test(name) && typeof token === 'string' && token.length >= 8
  );
}
