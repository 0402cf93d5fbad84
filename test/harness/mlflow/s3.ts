import { createHash, createHmac } from 'node:crypto';
import { type Asked, type FakeServer, type Reply, startServer } from './server.ts';

export type FakeS3 = FakeServer & { readonly objects: Map<string, Buffer>; pageSize: number };

export type S3Rules = {
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
};

/**
 * HAND-MADE after Amazon's documentation (Signature Version 4, ListObjectsV2, GetObject), not recorded. An S3 store with
 * one bucket at a path, as MinIO. It refuses what is not signed for the very request, and pages as it is told.
 */
export async function startS3(rules: S3Rules, now: () => number): Promise<FakeS3> {
  const objects = new Map<string, Buffer>();
  const server = await startServer((asked) => refusal(rules, asked, now()) ?? answer(fake, rules, asked));
  const fake: FakeS3 = Object.assign(server, { objects, pageSize: 1_000 });
  return fake;
}

const error = (status: number, code: string): Reply => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${code}</Message></Error>`,
});

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const sha = (text: string): string => createHash('sha256').update(text).digest('hex');

/** RFC 3986: everything but the unreserved characters. */
const strict = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

/** Signature Version 4, computed anew from what came. */
function refusal(rules: S3Rules, asked: Asked, now: number): Reply | undefined {
  const { headers } = asked;
  const form =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/;
  const [, key, day = '', region = '', names = '', signature] = form.exec(headers['authorization'] ?? '') ?? [];
  const at = String(headers['x-amz-date'] ?? '');
  if (key !== rules.accessKeyId) return error(403, 'InvalidAccessKeyId');
  if (region !== rules.region) return error(400, 'AuthorizationHeaderMalformed');
  if (rules.sessionToken !== undefined && headers['x-amz-security-token'] !== rules.sessionToken)
    return error(403, 'InvalidToken');
  const when = Date.parse(at.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (!(Math.abs(now - when) <= 15 * 60_000) || !at.startsWith(day)) return error(403, 'RequestTimeTooSkewed');
  const signed = names.split(';');
  // Host, and all of Amazon's own headers, must be signed.
  const mine = ['host', ...Object.keys(headers).filter((name) => name.startsWith('x-amz-'))];
  if (!mine.every((name) => signed.includes(name))) return error(403, 'AccessDenied');
  const canonical = [
    asked.method,
    asked.rawPath
      .split('/')
      .map((part) => strict(decodeURIComponent(part)))
      .join('/'),
    [...asked.url.searchParams]
      .map(([name, value]) => `${strict(name)}=${strict(value)}`)
      .sort()
      .join('&'),
    ...signed.map((name) => `${name}:${String(headers[name] ?? '').trim()}`),
    '',
    names,
    headers['x-amz-content-sha256'],
  ].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const signing = hmac(hmac(hmac(hmac(`AWS4${rules.secretAccessKey}`, day), region), 's3'), 'aws4_request');
  const wanted = hmac(signing, ['AWS4-HMAC-SHA256', at, scope, sha(canonical)].join('\n')).toString('hex');
  return wanted === signature ? undefined : error(403, 'SignatureDoesNotMatch');
}

function answer(fake: FakeS3, { bucket }: S3Rules, asked: Asked): Reply {
  const [, first = '', ...rest] = asked.rawPath.split('/').map(decodeURIComponent);
  if (first !== bucket) return error(404, 'NoSuchBucket');
  const key = rest.join('/');
  if (key === '') return list(fake, asked.url.searchParams);
  const bytes = fake.objects.get(key);
  if (bytes === undefined) return error(404, 'NoSuchKey');
  const etag = etagOf(bytes);
  const match = asked.headers['if-match'];
  return match !== undefined && match !== etag
    ? error(412, 'PreconditionFailed')
    : { status: 200, headers: { etag }, body: bytes };
}

const etagOf = (bytes: Buffer): string => `"${createHash('md5').update(bytes).digest('hex')}"`;

function list({ objects, pageSize }: FakeS3, query: URLSearchParams): Reply {
  if (query.get('list-type') !== '2') return error(400, 'InvalidArgument');
  const prefix = query.get('prefix') ?? '';
  const after = query.get('continuation-token') ?? '';
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix)).sort();
  const start = after === '' ? 0 : keys.indexOf(Buffer.from(after, 'base64').toString('utf8')) + 1;
  const page = keys.slice(start, start + pageSize);
  const more = start + page.length < keys.length;
  const written = (key: string) =>
    escapeXml(query.get('encoding-type') === 'url' ? strict(key).replaceAll('%2F', '/') : key);
  const contents = page.map((key) => {
    const bytes = objects.get(key) ?? Buffer.alloc(0);
    return `<Contents><Key>${written(key)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>${escapeXml(etagOf(bytes))}</ETag><Size>${bytes.length}</Size><StorageClass>STANDARD</StorageClass></Contents>`;
  });
  const next = more
    ? `<NextContinuationToken>${Buffer.from(page.at(-1) ?? '').toString('base64')}</NextContinuationToken>`
    : '';
  return {
    status: 200,
    headers: { 'content-type': 'application/xml' },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>x</Name><Prefix>${written(prefix)}</Prefix>${next}<KeyCount>${page.length}</KeyCount><MaxKeys>${pageSize}</MaxKeys><IsTruncated>${more}</IsTruncated>${contents.join('')}</ListBucketResult>`,
  };
}

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
