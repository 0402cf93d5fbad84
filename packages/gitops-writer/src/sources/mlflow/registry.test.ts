import { FairwayError } from '@fairway/core';
import { expect, it } from 'vitest';
import type { MlflowClient, Refusal } from './client.ts';
import { mlflowRegistry } from './registry.ts';

type Answer = { readonly data: unknown } | { readonly refusal: Refusal };
type Query = Readonly<Record<string, string | number>>;

/** A server whose answers are a function; what was asked is kept. */
function registryOf(answer: (path: string, query: Query) => Answer) {
  const asked: string[] = [];
  const client = {
    at: 'https://mlflow.example.com',
    get: (path: string, shape: { parse(value: unknown): unknown }, query: Query = {}) => {
      asked.push(`${path} ${JSON.stringify(query)}`);
      const told = answer(path, query);
      return Promise.resolve('data' in told ? { data: shape.parse(told.data) } : told);
    },
    unexpected: ({ code }: Refusal) => new FairwayError('registry.unavailable', `unexpected ${code}`),
  } as unknown as MlflowClient;
  return { registry: mlflowRegistry(client), asked };
}

const refusal = (status: number, code: string, message = ''): Answer => ({ refusal: { status, code, message } });
const GONE = refusal(404, 'RESOURCE_DOES_NOT_EXIST', 'not found');
const version = (name: string, number: number) => ({ name, version: String(number), creation_timestamp: '1' });

it('follows pages to their end, and keeps the versions of exactly this name', async () => {
  const pages: Record<string, unknown> = {
    '': { model_versions: [version('m', 3), version('M', 9)], next_page_token: 'a' },
    a: { next_page_token: 'b' },
    b: { model_versions: [version('m', 1)], next_page_token: '' },
  };
  const { registry, asked } = registryOf((_path, query) => ({ data: pages[String(query['page_token'] ?? '')] }));
  expect((await registry.versions('m')).map((one) => one.version)).toEqual(['3', '1']);
  expect(asked).toHaveLength(3);
});

it.each([
  ['the same page', (): string => 'a'],
  ['in a circle', (token: string): string => (token === 'a' ? 'b' : 'a')],
])('does not follow pages that go on with %s', async (_what, next) => {
  const { registry, asked } = registryOf((_path, query) => ({
    data: { next_page_token: next(String(query['page_token'] ?? '')) },
  }));
  await expect(registry.versions('m')).rejects.toMatchObject({
    code: 'registry.unavailable',
    message: expect.stringContaining('pages in a circle'),
  });
  expect(asked.length).toBeLessThan(5);
});

it('does not follow new pages for ever', async () => {
  let n = 0;
  const { registry } = registryOf(() => ({ data: { next_page_token: `t${(n += 1)}` } }));
  await expect(registry.versions('m')).rejects.toThrow('pages in a circle');
  expect(n).toBeLessThan(1_000);
});

it('writes names with quotation marks into the filter so that they stay names', async () => {
  const { registry, asked } = registryOf(() => ({ data: { model_versions: [version("Ann's", 1)] } }));
  await registry.versions("Ann's");
  expect(asked[0]).toContain(JSON.stringify(`name="Ann's"`).slice(1, -1));
  await expect(registry.versions(`'"`)).rejects.toMatchObject({ code: 'input.invalid' });
});

it.each([
  ['a server without aliases', refusal(404, 'NO_SUCH_ENDPOINT'), { none: 'unsupported' }],
  [
    'a database without it',
    refusal(400, 'INVALID_PARAMETER_VALUE', 'Registered model alias x not found.'),
    { none: 'alias' },
  ],
  ['another store without it', GONE, { none: 'alias' }],
])('tells %s from a champion', async (_what, told, wanted) => {
  const { registry } = registryOf((path) =>
    path.endsWith('/alias') ? told : { data: { registered_model: { name: 'm' } } },
  );
  expect(await registry.byAlias('m', 'x')).toEqual(wanted);
});

it('takes no other refusal for a missing alias', async () => {
  const { registry } = registryOf(() => refusal(400, 'INVALID_PARAMETER_VALUE', 'Invalid alias name'));
  await expect(registry.byAlias('m', 'x')).rejects.toThrow('unexpected INVALID_PARAMETER_VALUE');
});

it('names what there is', async () => {
  const { registry } = registryOf((path, query) => {
    if (path.endsWith('/search') && path.includes('model-versions'))
      return { data: query['filter'] === "name='m'" ? { model_versions: [version('m', 10), version('m', 2)] } : {} };
    if (path.endsWith('registered-models/search'))
      return { data: { registered_models: [{ name: 'm' }, { name: 'n' }] } };
    return GONE;
  });
  await expect(registry.version('m', '7')).rejects.toMatchObject({
    code: 'model.unknown',
    message: 'Version 7 of registered model m is not in MLflow; there are: 2, 10.',
  });
  await expect(registry.version('nobody', '7')).rejects.toMatchObject({
    code: 'model.unknown',
    message: expect.stringContaining('has no registered model "nobody"; it has: m, n.'),
  });
  await expect(registry.runRoot('r1')).rejects.toThrow('no longer has run r1');
});
