import { z } from 'zod';
import { line } from '../fields.ts';
import { ROLES, type Role } from '../route.ts';

/** Who may call: by a bearer token, by signing with a secret, or by either. */
export type Credential = {
  readonly name: string;
  readonly role: Role;
  readonly token?: string | undefined;
  readonly secret?: string | undefined;
};

/** Name of the credential that WRITER_TOKEN stands for. */
const WRITER = 'writer';

const LEAST = 16;
const TOO_SHORT = `must have at least ${LEAST} characters`;
const secret = line(500).min(LEAST, TOO_SHORT).optional();
const schema = z.array(
  z
    .strictObject({
      name: z.string().regex(/^[A-Za-z0-9][\w.-]{0,62}$/, 'must be 1 to 63 letters, digits, ".", "_" or "-"'),
      role: z.enum(ROLES),
      token: secret,
      secret,
    })
    .refine((one) => (one.token ?? one.secret) !== undefined, 'needs a token, a secret, or both'),
);

/** Reads WRITER_CREDENTIALS, `[{name, role, token?, secret?}]`; problems name credentials by place, never by value. */
export function readCredentials(raw: string | undefined): { value: readonly Credential[] } | { problem: string } {
  if (raw === undefined) return { value: [] };
  let json: unknown;
  try {
    json = JSON.parse(raw);
  } catch {
    return {
      problem: 'must be JSON: [{"name": …, "role": "viewer" | "approver" | "admin", "token" and/or "secret": …}]',
    };
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`);
    return { problem: `is not usable: ${problems.join('; ')}` };
  }
  const credentials = parsed.data;
  const twice = repeated([WRITER, ...credentials.map(({ name }) => name)]);
  if (twice !== undefined) return { problem: `has the name ${twice} twice; ${WRITER} is that of WRITER_TOKEN` };
  const tokens = credentials.flatMap(({ token }) => (token === undefined ? [] : [token]));
  if (repeated(tokens) !== undefined) return { problem: 'has a token twice; give each credential its own' };
  return { value: credentials };
}

/** Reads WRITER_TOKEN, as long as the tokens of other callers have to be. */
export function readToken(raw: string | undefined): { value: string } | { problem: string } {
  if (raw === undefined) return { problem: 'is not set' };
  return raw.length < LEAST ? { problem: TOO_SHORT } : { value: raw };
}

/** WRITER_TOKEN may do everything. */
export const writerCredential = (token: string): Credential => ({ name: WRITER, role: 'admin', token });

const repeated = (texts: readonly string[]): string | undefined =>
  texts.find((text, index) => texts.indexOf(text) !== index);
