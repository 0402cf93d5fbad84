import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, sourceFiles } from './source.ts';

// A server may end a session at any moment, and an error event without a listener ends the process (or fails the run of a test).

const without = (heard: RegExp, files: ReadonlyArray<{ path: string; text: string }>, opens: RegExp): string[] =>
  files.filter(({ text }) => opens.test(text) && !heard.test(text)).map(({ path }) => path);

const OPENS = /new (pg\.)?(Pool|Client|Redis)\(/;
const product = sourceFiles().filter(({ path }) => !path.endsWith('.test.ts'));

test('whoever opens a connection to PostgreSQL or Redis hears its errors', () => {
  expect(product.filter(({ text }) => OPENS.test(text)).length).toBeGreaterThan(4);
  expect(without(/\.on\('error'/, product, OPENS)).toEqual([]);
});

test('a pool hears the connections that are in use too, and so does that of BullMQ', () => {
  expect(without(/\.on\('connect'/, product, /new (pg\.)?Pool\(|createPostgresBackend/)).toEqual([]);
});

test('tests take their pools from the harness, which hears them', () => {
  const files = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((path) => /^(integration|conformance|e2e|faults)\/.*\.ts$/.test(path))
    .map((path) => ({ path, text: readFileSync(join(ROOT, 'test', path), 'utf8') }));
  expect(files.length).toBeGreaterThan(150);
  expect(files.filter(({ text }) => /new (pg\.)?Pool\(/.test(text)).map(({ path }) => path)).toEqual([]);
});
