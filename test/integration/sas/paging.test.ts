import { systemClock } from '@fairway/core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type SasServer, sasServer } from '../../../packages/gitops-writer/src/sources/sas/client.ts';
import { collect } from '../../../packages/gitops-writer/src/sources/sas/paging.ts';
import { projectSchema } from '../../../packages/gitops-writer/src/sources/sas/wire.ts';
import type { Reply } from '../../harness/sas/dialect.ts';
import { type FakeSasServer, startFakeSas } from '../../harness/sas/server.ts';
import { addModel, addProject, type Dialect } from '../../harness/sas/state.ts';

const item = projectSchema;
const path = '/modelRepository/models';
const what = 'to list models';

let sas: FakeSasServer;
let server: SasServer;
async function start(dialect: Dialect): Promise<void> {
  sas = await startFakeSas(dialect);
  const logon = { form: { grant_type: 'client_credentials' }, client: sas.logon.client } as const;
  server = sasServer({ url: sas.url, logon, caFile: undefined, clock: systemClock });
}
beforeEach(() => start('2023.10'));
afterEach(stop);
async function stop(): Promise<void> {
  server.close();
  await sas.stop();
}

/** The next call of the list is answered so. */
const say = (json: unknown): void => {
  const reply: Reply = { status: 200, headers: { 'Content-Type': 'application/vnd.sas.collection+json' }, json };
  sas.faults.push({ on: /\/modelRepository\/models$/, reply });
};
const names = async (filter?: string) =>
  (await collect(server, { path, item, what, ...(filter === undefined ? {} : { filter }) })).map(({ name }) => name);

it.each(['3.5', '2023.10'] as const)(
  'keeps the filter where links forget it, and believes no count (%s)',
  async (dialect) => {
    await stop();
    await start(dialect);
    sas.pageSize = 2;
    const [mine, other] = [addProject(sas.state, 'Mine'), addProject(sas.state, 'Other')];
    for (const n of [1, 2, 3, 4, 5]) {
      addModel(sas.state, mine, `m${n}`);
      addModel(sas.state, other, `o${n}`);
    }
    expect(await names(`eq(projectId,"${mine.id}")`)).toEqual(['m1', 'm2', 'm3', 'm4', 'm5']);
    const queries = sas.seen.map(({ url }) => new URL(url, sas.url).searchParams);
    expect(queries.map((query) => query.get('filter'))).toEqual(
      Array.from({ length: 3 }, () => `eq(projectId,"${mine.id}")`),
    );
    // Followed as it stands: the server has added this.
    expect(queries.map((query) => query.get('sortBy'))).toEqual([null, 'name', 'name']);
  },
);

const page = (items: unknown, next?: string, more: object = {}) => ({
  count: 1_000,
  items,
  links: next === undefined ? [] : [{ rel: 'NEXT', uri: next, ...more }],
});

it('takes each id once when the list moves while it is read', async () => {
  const [a, b, c] = ['a', 'b', 'c'].map((name) => ({ id: name, name }));
  say(page([a, b], `${path}?start=2`));
  say(page([b, c], `${path}?start=4`));
  say(page([]));
  expect(await names()).toEqual(['a', 'b', 'c']);
});

it.each([
  ['an empty page, whatever its links say', page([], '/modelRepository/projects?start=0')],
  ['null', page(null, '/modelRepository/projects?start=0')],
  ['a page that leads to itself', page([{ id: 'b', name: 'b' }], `${path}?start=2`)],
])('ends at %s', async (_what, last) => {
  say(page([{ id: 'a', name: 'a' }], `${path}?start=2`));
  say(last);
  await names();
  expect(sas.seen).toHaveLength(2);
});

it('prefers uri to href, and takes a path without its first slash', async () => {
  say(page([{ id: 'a', name: 'a' }], 'modelRepository/models?start=1', { href: '/elsewhere' }));
  say(page([{ id: 'b', name: 'b' }]));
  expect(await names()).toEqual(['a', 'b']);
});

it('does not carry our token to another address', async () => {
  say(page([{ id: 'a', name: 'a' }], 'https://elsewhere.example.com/modelRepository/models?start=1'));
  await expect(names()).rejects.toMatchObject({
    code: 'registry.unavailable',
    message: expect.stringContaining('it points to https://elsewhere.example.com, where our credentials are not sent'),
  });
});

it('gives up a list without an end', async () => {
  let n = 0;
  sas.meanwhile = ({ path: asked }) => {
    n += 1;
    if (asked === path) say(page([{ id: `${n}`, name: 'x' }], `${path}?start=${n}`));
  };
  await expect(names()).rejects.toMatchObject({ code: 'registry.unavailable', disposition: 'terminal' });
  expect(n).toBe(500);
});

it.each([
  [
    'a web page',
    { headers: { 'Content-Type': 'text/html' }, raw: Buffer.from('<html><title>Viya</title></html>') },
    /a web page, Viya; check SAS_URL/,
  ],
  ['no JSON', { raw: Buffer.from('moment please') }, /its answer is no JSON/],
  ['no list', { json: { name: 'models' } }, /its answer is no list/],
  ['items without ids', { json: { items: [{ name: 'x' }] } }, /id is not what it should be/],
])('says so when it gets %s', async (_what, reply, sentence) => {
  sas.faults.push({ on: /models$/, reply: { status: 200, ...reply } });
  await expect(names()).rejects.toMatchObject({
    code: 'registry.unavailable',
    message: expect.stringMatching(sentence),
  });
});
