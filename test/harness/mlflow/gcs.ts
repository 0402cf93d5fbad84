import { generateKeyPairSync, randomUUID, verify } from 'node:crypto';
import { type Asked, type FakeServer, json, type Reply, startServer } from './server.ts';

export type FakeGcs = FakeServer & {
  readonly objects: Map<string, Buffer>;
  /** Tokens that it has given out. */
  readonly tokens: Set<string>;
  pageSize: number;
  /** Content of the key file that Google would hand out. */
  readonly keyFile: string;
};

/** Making one takes longer than most tests. */
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });

const EMAIL = 'reader@project.iam.gserviceaccount.com';
const SCOPE = 'https://www.googleapis.com/auth/devstorage.read_only';

/**
 * HAND-MADE after Google's documentation (OAuth 2.0 for service accounts, Cloud Storage JSON API), not recorded. One bucket; a
 * token is given for an assertion that the account's key has signed, and asked for in every call.
 */
export async function startGcs(bucket: string, now: () => number): Promise<FakeGcs> {
  const objects = new Map<string, Buffer>();
  const tokens = new Set<string>();
  const token = async (asked: Asked): Promise<Reply> => {
    const form = new URLSearchParams(asked.text);
    if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer')
      return json(400, { error: 'unsupported_grant_type' });
    const claims = claimsOf(form.get('assertion') ?? '');
    const at = now() / 1_000;
    const isGood =
      claims?.iss === EMAIL && claims.aud === `${fake.url}/token` && claims.iat <= at + 60 && claims.exp > at;
    if (!isGood) return json(400, { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' });
    if (claims.scope !== SCOPE) return json(400, { error: 'invalid_scope' });
    const given = randomUUID();
    tokens.add(given);
    return json(200, { access_token: given, expires_in: 3_599, token_type: 'Bearer' });
  };
  const server = await startServer((asked) => {
    if (asked.method === 'POST' && asked.url.pathname === '/token') return token(asked);
    const bearer = /^Bearer (.+)$/.exec(asked.headers['authorization'] ?? '')?.[1] ?? '';
    if (!tokens.has(bearer)) return json(401, { error: { code: 401, message: 'Invalid Credentials' } });
    return answer(fake, bucket, asked);
  });
  const keyFile = JSON.stringify({
    type: 'service_account',
    project_id: 'project',
    private_key_id: 'k1',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    client_email: EMAIL,
    token_uri: `${server.url}/token`,
  });
  const fake: FakeGcs = Object.assign(server, { objects, tokens, pageSize: 1_000, keyFile });
  return fake;
}

type Claims = {
  readonly iss: string;
  readonly aud: string;
  readonly scope: string;
  readonly iat: number;
  readonly exp: number;
};

/** Of a JWT that the account's key has signed (RFC 7515, RS256). */
function claimsOf(assertion: string): Claims | undefined {
  const [head = '', body = '', signature = ''] = assertion.split('.');
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as unknown;
  const signed = Buffer.from(`${head}.${body}`);
  if (!verify('sha256', signed, publicKey, Buffer.from(signature, 'base64url'))) return undefined;
  return (read(head) as { alg?: string }).alg === 'RS256' ? (read(body) as Claims) : undefined;
}

/** The generation of an object: here, from its content. */
const generationOf = (bytes: Buffer): string =>
  String(bytes.reduce((sum, byte) => (sum * 31 + byte) % 1_000_000_007, bytes.length + 1));

function answer(fake: FakeGcs, bucket: string, { rawPath, url }: Asked): Reply {
  const [, at = '', encoded] = /^\/storage\/v1\/b\/([^/]+)\/o(?:\/([^/]+))?$/.exec(rawPath) ?? [];
  if (at !== bucket) return json(404, { error: { code: 404, message: 'The specified bucket does not exist.' } });
  if (encoded === undefined) return list(fake, url.searchParams);
  const bytes = fake.objects.get(decodeURIComponent(encoded));
  const generation = url.searchParams.get('generation');
  const isThere = bytes !== undefined && (generation === null || generation === generationOf(bytes));
  if (!isThere) return json(404, { error: { code: 404, message: 'No such object' } });
  if (url.searchParams.get('alt') !== 'media') return json(200, { size: String(bytes.length) });
  return { status: 200, headers: { 'content-type': 'application/octet-stream' }, body: bytes };
}

function list({ objects, pageSize }: FakeGcs, query: URLSearchParams): Reply {
  const prefix = query.get('prefix') ?? '';
  const names = [...objects.keys()].filter((name) => name.startsWith(prefix)).sort();
  const start = Number(query.get('pageToken') ?? '0');
  const page = names.slice(start, start + Math.min(pageSize, Number(query.get('maxResults') ?? '1000')));
  const items = page.map((name) => {
    const bytes = objects.get(name) ?? Buffer.alloc(0);
    return { kind: 'storage#object', name, size: String(bytes.length), generation: generationOf(bytes) };
  });
  const end = start + page.length;
  // Empty lists are left out.
  return json(200, {
    kind: 'storage#objects',
    ...(items.length === 0 ? {} : { items }),
    ...(end < names.length ? { nextPageToken: String(end) } : {}),
  });
}
