import { expect, test } from 'vitest';
import { type SourceFile, sourceFiles } from './source.ts';

const SERVICES = ['gitops-writer', 'log-sidecar', 'monitor'];
const files = sourceFiles();
const product = files.filter(({ path }) => !path.endsWith('.test.ts'));
const packageOf = (path: string) => path.split('/').slice(0, 2).join('/');
const folderOf = (path: string) => path.split('/').slice(3, -1);

/** Imports of `among` that break a rule, as `file → import`. */
const breaches = (among: readonly SourceFile[], bad: (name: string, file: SourceFile) => boolean): string[] =>
  among.flatMap((file) => file.imports.filter((name) => bad(name, file)).map((name) => `${file.path} → ${name}`));

const isNode = (name: string) => name.startsWith('node:');
const isOwn = (name: string, { path }: SourceFile) => name.startsWith(`${packageOf(path)}/`);

test('the guard sees the house', () => {
  expect(product.length).toBeGreaterThan(60);
  expect(new Set(product.map(({ path }) => packageOf(path))).size).toBe(11);
});

test('core imports nothing but Node', () => {
  const core = product.filter(({ path }) => path.startsWith('packages/core/'));
  expect(breaches(core, (name, file) => !isNode(name) && !isOwn(name, file))).toEqual([]);
});

test('no package reaches into the files of another', () => {
  expect(breaches(product, (name, file) => /^(packages|examples|test)\//.test(name) && !isOwn(name, file))).toEqual([]);
});

const ROOMS = ['core', 'queue', 'savedmodel', 'archive', 'oci', 'remote'].map((name) => `@fairway/${name}`);

test('services know the rooms that all share, never another service, the CLI or an example', () => {
  const services = product.filter(({ path }) => SERVICES.some((service) => path.startsWith(`packages/${service}/`)));
  expect(breaches(services, (name) => name.startsWith('@fairway/') && !ROOMS.includes(name))).toEqual([]);
});

test("the agent's dependencies are core, bullmq, ioredis, pino and prom-client", () => {
  const agent = product.filter(({ path }) => path.startsWith('packages/log-sidecar/'));
  const allowed = ['@fairway/core', 'bullmq', 'ioredis', 'pino', 'prom-client'];
  expect(breaches(agent, (name, file) => !isNode(name) && !isOwn(name, file) && !allowed.includes(name))).toEqual([]);
});

const PURE = ['app', 'render', 'edit', 'metrics', 'policy', 'rows', 'analyze', 'moved', 'ports'];
const EFFECTS =
  /^(node:)?(fs|fs\/promises|http|https|net|child_process|worker_threads)$|^(pg|pg-copy-streams|bullmq|ioredis|axios|express|simple-git|@kubernetes\/client-node|pino|prom-client)$/;
const inService = ({ path }: SourceFile) => SERVICES.some((service) => path.startsWith(`packages/${service}/src/`));

test('use cases, rendering, metrics and policy touch neither disk, network, database, environment nor clock', () => {
  const pure = product.filter((file) => inService(file) && PURE.includes(folderOf(file.path)[0] ?? ''));
  expect(pure.length).toBeGreaterThan(10);
  expect(breaches(pure, (name) => EFFECTS.test(name))).toEqual([]);
  const reads = pure
    .filter(({ text }) => /process\.env|Date\.now\(|new Date\(\)|\bfetch\(/.test(text))
    .map(({ path }) => path);
  expect(reads).toEqual([]);
});

test('no adapter imports another adapter, and nothing imports a composition root', () => {
  const services = product.filter(inService);
  const adapter = (name: string) => {
    const [first, second] = folderOf(name);
    if (first === undefined || PURE.includes(first)) return undefined;
    return ['forges', 'sources', 'images', 'notify'].includes(first) ? `${first}/${second}` : first;
  };
  // What every forge needs of HTTP; it knows none of them. And a registry is asked and answered by one client.
  const shared = (name: string, { path }: SourceFile) =>
    (adapter(name) === 'forges/http' && folderOf(path)[0] === 'forges') ||
    (folderOf(path)[0] === 'notify' && adapter(name) === `sources/${folderOf(path)[1]}`);
  const crossing = breaches(
    services.filter(({ path }) => adapter(path) !== undefined),
    (name, file) =>
      isOwn(name, file) && adapter(name) !== undefined && adapter(name) !== adapter(file.path) && !shared(name, file),
  );
  expect(crossing).toEqual([]);
  expect(breaches(product, (name) => name.endsWith('main.ts'))).toEqual([]);
});

test('only composition roots, and the commands of the CLI, read the environment of the process', () => {
  const roots = /(^|[-/])main\.ts$|^packages\/cli\/src\//;
  expect(
    product.filter(({ path, text }) => !roots.test(path) && /process\.env\b/.test(text)).map(({ path }) => path),
  ).toEqual([]);
});

test('no service imports the embedded stack, and no source imports a test', () => {
  expect(breaches(product.filter(inService), (name) => /stack\//.test(name))).toEqual([]);
  expect(breaches(product, (name) => /\.test\.ts$|^test\//.test(name))).toEqual([]);
});

test('no source branches on being tested', () => {
  expect(product.filter(({ text }) => /NODE_ENV|VITEST|JEST_WORKER/.test(text)).map(({ path }) => path)).toEqual([]);
});
