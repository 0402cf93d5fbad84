import { expect, it } from 'vitest';
import { readS3Page } from './s3-listing.ts';

const entry = (key: string, size = '3') =>
  `<Contents>\n  <Key>${key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;e1&quot;</ETag><Size>${size}</Size><Owner><ID>x</ID></Owner></Contents>`;
const page = (inside: string) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>${inside}</ListBucketResult>`;

it('reads keys, sizes, ETags and how to go on', () => {
  const xml = page(
    `<IsTruncated>true</IsTruncated><NextContinuationToken>a&amp;b=</NextContinuationToken>${entry('p/a%20b%2Bc')}${entry('p/d+e', '0')}`,
  );
  expect(readS3Page(xml)).toEqual({
    objects: [
      { path: 'p/a b+c', size: 3, etag: '"e1"' },
      { path: 'p/d e', size: 0, etag: '"e1"' },
    ],
    next: 'a&b=',
  });
});

it('reads the last page, an empty one, and names that try to be XML', () => {
  expect(readS3Page(page('<IsTruncated>false</IsTruncated>'))).toEqual({ objects: [], next: undefined });
  const sly = readS3Page(page(`<IsTruncated>false</IsTruncated>${entry('%3C/Contents%3E%3CIsTruncated%3Etrue')}`));
  expect(sly).toMatchObject({ objects: [{ path: '</Contents><IsTruncated>true' }], next: undefined });
  expect(readS3Page(page(entry('%E0%A4%A', 'many')))?.objects).toEqual([
    { path: '%E0%A4%A', size: undefined, etag: '"e1"' },
  ]);
});

it.each(['', '<html>', '<Error><Code>AccessDenied</Code></Error>'])('takes %j for none', (text) => {
  expect(readS3Page(text)).toBeUndefined();
});
