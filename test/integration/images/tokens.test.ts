import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  buildImage,
  type Credential,
  dockerCredentials,
  type ImageRequest,
  type Labelled,
  proveImage,
  registryStore,
  type RegistryOptions,
} from '@fairway/oci';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { putBase, writeModel } from '../../harness/registry/images.ts';
import { startRegistry, type TestRegistry } from '../../harness/registry/registry.ts';

const USER = { user: 'writer', password: 'password of the tests' };
const AUTH = { kind: 'token' as const, ...USER, refresh: 'refresh-token-of-the-tests' };

let dir: string;
let folder: string;
let model: Labelled;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'fairway images '));
  folder = join(dir, 'model');
  model = await writeModel(folder, 600_000);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const stops: Array<() => unknown> = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function start(auth: Parameters<typeof startRegistry>[0] = { auth: AUTH }): Promise<TestRegistry> {
  const registry = await startRegistry(auth);
  stops.push(() => registry.stop());
  return registry;
}

function storeAs(credential: Credential | undefined, more: RegistryOptions = {}) {
  const credentials = () => Promise.resolve(credential);
  const store = registryStore({ plainHttp: true, chunkBytes: 64 * 1024, pauseMs: 1, credentials, ...more });
  stops.push(() => store.close());
  return store;
}

async function requestTo({ host }: TestRegistry): Promise<ImageRequest> {
  const owner = storeAs({ kind: 'basic', ...USER });
  const base = await putBase(owner, `${host}/base/serving`);
  return { model, folder, repository: `${host}/models`, kind: { of: 'serving', base: base.reference } };
}

const tokenCalls = (registry: TestRegistry) => registry.seen.filter(({ path }) => path === '/token');

it('asks once for each reach, for reading the base too where it mounts from there', async () => {
  const registry = await start();
  const request = await requestTo(registry);
  registry.seen.length = 0;
  await buildImage(storeAs({ kind: 'basic', ...USER }), request);
  const scopes = tokenCalls(registry).map(({ query }) => new URLSearchParams(query).getAll('scope').join(' '));
  expect(scopes.sort()).toEqual([
    'repository:base/serving:pull',
    'repository:models/home-equity:pull',
    'repository:models/home-equity:pull,push',
    'repository:models/home-equity:pull,push repository:base/serving:pull',
  ]);
  expect(new URLSearchParams(tokenCalls(registry)[0]?.query).get('service')).toBe('registry of the tests');
  // Reading, writing, mounting: nothing but the first call of all was refused.
  expect(registry.seen.filter(({ path }) => path.startsWith('/v2/')).length).toBeGreaterThan(20);
});

it('renews a token that is refused within an upload, and one before it ends', async () => {
  const registry = await start();
  const request = await requestTo(registry);
  let pieces = 0;
  registry.fate = ({ method }) => {
    if (method === 'PATCH' && (pieces += 1) === 4) registry.auth.expire();
    return undefined;
  };
  const built = await buildImage(storeAs({ kind: 'basic', ...USER }), request);
  expect((await proveImage(storeAs({ kind: 'basic', ...USER }), built.reference)).digest).toBe(model.digest);

  let now = 0;
  const store = storeAs({ kind: 'basic', ...USER }, { clock: { now: () => now } });
  const name = `${registry.host}/models/home-equity`;
  const look = async (at: number) => {
    now = at;
    await store.has(name, built.digest);
    return tokenCalls(registry).length;
  };
  const first = await look(0);
  expect(await look(289_000)).toBe(first);
  // They hold for 300 s, less ten for the way.
  expect(await look(290_001)).toBe(first + 1);
});

it('takes a refresh token, and shares one question among many calls', async () => {
  const registry = await start();
  const request = await requestTo(registry);
  registry.seen.length = 0;
  const store = storeAs({ kind: 'identity', token: AUTH.refresh });
  await store.has(`${registry.host}/base/serving`, model.digest);
  const name = `${registry.host}/models/home-equity`;
  const asked = tokenCalls(registry).length;
  await Promise.all(Array.from({ length: 8 }, () => store.has(name, model.digest)));
  expect(tokenCalls(registry).map(({ method }) => method)).toEqual(['POST', 'POST']);
  expect(tokenCalls(registry).length - asked).toBe(1);
  expect((await buildImage(store, request)).tag).toBe('7');
});

it.each([
  [
    'wrong',
    { kind: 'basic', user: 'writer', password: 'wrong-password' },
    /answered 401 for repository:.* \(incorrect username or password\); look at the credentials/,
  ],
  ['no', undefined, /answered 401 .*there are none/],
  ['an unknown refresh token as', { kind: 'identity', token: 'another-token' }, /answered 401/],
] as const)('says that the token server does not take %s credentials', async (_what, credential, sentence) => {
  const registry = await start();
  const request = await requestTo(registry);
  const failed = buildImage(storeAs(credential), request);
  await expect(failed).rejects.toThrow(sentence);
  await expect(failed).rejects.toMatchObject({ code: 'image.failed', disposition: 'terminal' });
  await expect(failed).rejects.not.toThrow(/wrong-password|another-token/);
  expect(registry.tags('models/home-equity')).toEqual([]);
});

it.each([
  [
    'an error',
    '{"errors":[{"code":"DENIED","message":"the realm is closed"}]}',
    'application/json',
    /answered 200 without a token .*\(DENIED: the realm is closed\)/,
  ],
  ['a page', '<html>Sign in</html>', 'text/html', /answered 200 without a token .*\(an HTML page\)/],
  ['an empty token', '{"token":""}', 'application/json', /answered 200 without a token/],
])('names a token server that answers 200 with %s', async (_what, body, type, sentence) => {
  const registry = await start();
  const request = await requestTo(registry);
  registry.fate = ({ path }) => (path === '/token' ? { status: 200, type, body } : undefined);
  await expect(buildImage(storeAs({ kind: 'basic', ...USER }), request)).rejects.toThrow(sentence);
});

it('shows a password where the registry asks for one, and says when it is refused', async () => {
  const registry = await start({ auth: { kind: 'basic', ...USER } });
  const request = await requestTo(registry);
  expect((await buildImage(storeAs({ kind: 'basic', ...USER }), request)).tag).toBe('7');
  const failed = buildImage(storeAs({ kind: 'basic', user: 'writer', password: 'wrong-password' }), request);
  await expect(failed).rejects.toThrow(
    /answered 401 \(UNAUTHORIZED: unauthorized\).*credentials are missing, wrong or not enough/,
  );
});

it("reads Docker's config.json anew for each question, and runs no helper", async () => {
  const registry = await start();
  const request = await requestTo(registry);
  const file = join(dir, 'config.json');
  const write = (config: object) => writeFileSync(file, JSON.stringify(config));
  const store = storeAs(undefined, { credentials: dockerCredentials(file, 'REGISTRY_AUTH_FILE') });
  write({ auths: { [registry.host]: {} }, credHelpers: { [registry.host]: 'ecr-login' } });
  await expect(buildImage(store, request)).rejects.toThrow(
    `The file of REGISTRY_AUTH_FILE asks the program docker-credential-ecr-login for ${registry.host}, which is not run here`,
  );
  const auth = Buffer.from(`${USER.user}:${USER.password}`).toString('base64');
  write({ auths: { [registry.host]: { auth } } });
  expect((await buildImage(store, request)).tag).toBe('7');
});
