import { type Clock, FairwayError } from '@fairway/core';
import { type Remote, remote } from '@fairway/remote';
import { AwsV4Signer } from 'aws4fetch';
import type { S3Settings } from '../settings.ts';
import { bodyOf } from './body.ts';
import { readS3Page } from './s3-listing.ts';
import type { Artifact, ArtifactStore } from './store.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, and what MinIO takes. */
const BUCKET = /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/i;
const MOST_PAGES = 100;

type Bucket = { readonly settings: S3Settings; readonly clock: Clock; readonly server: Remote; readonly url: string };

/** Objects below `prefix` of a bucket, read as the holder of the access key (Signature Version 4). */
export function s3Store(settings: S3Settings, clock: Clock, bucket: string, prefix: string): ArtifactStore {
  if (!BUCKET.test(bucket)) {
    throw new FairwayError(
      'model.invalid',
      `${JSON.stringify(bucket)} is no name of a bucket; register the model again.`,
    );
  }
  const url = addressOf(settings, bucket);
  const server = remote({
    base: new URL(url).origin,
    name: `The S3 bucket ${bucket}`,
    setting: settings.endpoint === undefined ? 'AWS_REGION' : 'S3_ENDPOINT_URL',
    caFile: settings.caFile,
    secrets: () => [settings.secretAccessKey, ...(settings.sessionToken === undefined ? [] : [settings.sessionToken])],
  });
  const at: Bucket = { settings, clock, server, url };
  return {
    list: async () => list(at, bucket, prefix === '' ? '' : `${prefix}/`),
    open: async ({ path, etag }, signal) => {
      const key = [...(prefix === '' ? [] : prefix.split('/')), ...path.split('/')].map(encodeKey).join('/');
      const address = `${url}/${key}`;
      const headers = await signed(at, address, etag === undefined ? {} : { 'if-match': etag });
      const answer = await server.download(address, { signal, headers: { ...headers, 'accept-encoding': 'identity' } });
      return bodyOf(answer, `${path} from the S3 bucket ${bucket}`);
    },
    close: server.close,
  };
}

/** A bucket of Amazon is a host; those with dots in their names fit no certificate, and other stores have paths. */
function addressOf({ endpoint, region }: S3Settings, bucket: string): string {
  if (endpoint !== undefined) return `${endpoint}/${bucket}`;
  const host = `s3.${region}.amazonaws.com`;
  return bucket.includes('.') ? `https://${host}/${bucket}` : `https://${bucket}.${host}`;
}

/** RFC 3986, as the signature wants it. */
const encodeKey = (part: string): string =>
  encodeURIComponent(part).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

async function list(at: Bucket, bucket: string, prefix: string): Promise<Artifact[]> {
  const found: Artifact[] = [];
  const seen = new Set<string>();
  for (let token: string | undefined; ; ) {
    const query = {
      'list-type': '2',
      'encoding-type': 'url',
      prefix,
      ...(token === undefined ? {} : { 'continuation-token': token }),
    };
    const address = `${at.url}/?${Object.entries(query)
      .map(([name, value]) => `${name}=${encodeKey(value)}`)
      .join('&')}`;
    const answer = await at.server.call('GET', address, {
      headers: { ...(await signed(at, address, {})), accept: '*/*' },
    });
    const page = answer.status === 200 ? readS3Page(answer.text) : undefined;
    if (page === undefined) throw refused(at, bucket, answer);
    // Tools that show folders leave empty objects with a slash at their end.
    const files = page.objects.filter(({ path }) => path.startsWith(prefix) && !path.endsWith('/'));
    found.push(...files.map((object) => ({ ...object, path: object.path.slice(prefix.length) })));
    token = page.next;
    if (token === undefined) return found;
    if (seen.has(token) || seen.size >= MOST_PAGES) {
      throw new FairwayError(
        'registry.unavailable',
        `The S3 bucket ${bucket} pages without an end below ${prefix}; register the folder of the model itself.`,
      );
    }
    seen.add(token);
  }
}

async function signed(
  at: Bucket,
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const { accessKeyId, secretAccessKey, sessionToken, region } = at.settings;
  const signer = new AwsV4Signer({
    method: 'GET',
    url,
    headers: { ...headers, 'x-amz-content-sha256': EMPTY_SHA256 },
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    service: 's3',
    region,
    datetime: new Date(at.clock.now()).toISOString().replaceAll(/[:-]|\.\d{3}/g, ''),
  });
  const { headers: own } = await signer.sign();
  return Object.fromEntries(own);
}

const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

function refused(
  { settings }: Bucket,
  bucket: string,
  { status, text }: { status: number; text: string },
): FairwayError {
  const code = /<Code>([\w.]{1,60})<\/Code>/.exec(text)?.[1];
  const where = settings.endpoint === undefined ? `Amazon's ${settings.region}` : 'S3_ENDPOINT_URL';
  const mend =
    code === 'NoSuchBucket'
      ? `there is no such bucket at ${where}; correct AWS_REGION, S3_ENDPOINT_URL or where MLflow keeps artifacts`
      : status === 403
        ? 'the key of AWS_ACCESS_KEY_ID may not list it; give it s3:ListBucket and s3:GetObject, or correct AWS_SECRET_ACCESS_KEY'
        : 'that is no listing of a bucket; correct AWS_REGION and S3_ENDPOINT_URL';
  return new FairwayError(
    'registry.unavailable',
    `The S3 bucket ${bucket} answered ${status}${code === undefined ? '' : ` ${code}`}: ${mend}.`,
  );
}
