import { Validator } from '@seriousme/openapi-schema-validator';
import type { Express } from 'express';
import { expect, it } from 'vitest';
import { api, expressPath } from './api.ts';
import type { ApiContext } from './context.ts';
import { openApiDocument } from './document.ts';
import { ROUTES } from './routes/index.ts';

type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>;
};
const document = openApiDocument(ROUTES) as Document;
const documented = Object.entries(document.paths).flatMap(([path, operations]) =>
  Object.keys(operations).map((method) => `${method} ${expressPath(path)}`),
);

/** `method path` of every route that Express would run, without those that only refuse other methods. */
function served({ router }: Express): string[] {
  return router.stack.flatMap(({ route }) =>
    (route?.stack ?? []).flatMap(({ method }) => (method === undefined ? [] : [`${method} ${route?.path}`])),
  );
}

it('is a valid OpenAPI 3.1 document', async () => {
  const validator = new Validator();
  expect(await validator.validate(structuredClone(document))).toMatchObject({ valid: true });
  expect(validator.version).toBe('3.1');
});

it('documents every route of Express, and nothing else', () => {
  const context = {} as ApiContext;
  expect(documented.length).toBeGreaterThan(8);
  expect([...served(api(context))].sort()).toEqual([...documented].sort());
});

it('names each operation once, and each schema that it refers to', () => {
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
  const names = operations.map(({ operationId }) => operationId);
  expect(new Set(names).size).toBe(names.length);
  const text = JSON.stringify(document);
  for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
    expect(document).toHaveProperty(['components', 'schemas', name as string]);
  }
});
