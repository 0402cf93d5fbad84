import type { Artifact } from './store.ts';

/** One page of ListObjectsV2; `next`: how to ask for the following one. */
export type S3Page = { readonly objects: readonly Artifact[]; readonly next: string | undefined };

/**
 * Reads the answer of ListObjectsV2 (https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html), asked for with
 * `encoding-type=url`. Undefined when it is none. A page has 1000 objects of a known form and no text beside elements, so that
 * no XML parser is needed; what is in no form that we know is nothing.
 */
export function readS3Page(xml: string): S3Page | undefined {
  if (!/<ListBucketResult[\s>]/.test(xml)) return undefined;
  const objects = [...xml.matchAll(/<Contents>([\s\S]*?)<\/Contents>/g)].map(([, entry = '']) => ({
    path: decoded(field(entry, 'Key') ?? ''),
    size: sizeOf(field(entry, 'Size')),
    etag: entities(field(entry, 'ETag')),
  }));
  const head = xml.replaceAll(/<Contents>[\s\S]*?<\/Contents>/g, '');
  const isCut = field(head, 'IsTruncated') === 'true';
  return { objects, next: isCut ? entities(field(head, 'NextContinuationToken')) : undefined };
}

const field = (xml: string, name: string): string | undefined =>
  new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];

const sizeOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;

/** URL encoding of S3: a space may be a plus sign. */
function decoded(key: string): string {
  const text = entities(key) ?? '';
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

const ENTITIES: Readonly<Record<string, string>> = { quot: '"', amp: '&', lt: '<', gt: '>', apos: "'" };

function entities(text: string | undefined): string | undefined {
  return text?.replaceAll(
    /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w+));/gi,
    (whole, decimal, hex, name: string | undefined) => {
      if (name !== undefined) return ENTITIES[name] ?? whole;
      const code = decimal === undefined ? Number.parseInt(hex as string, 16) : Number(decimal);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}
