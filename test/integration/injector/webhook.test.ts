import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { jsonPatch } from '../../../packages/cli/src/stack/kube/store/json-patch.ts';
import { eventually } from '../agent/agent.ts';
import {
  AGENT_IMAGE,
  type Answer,
  call,
  type Injector,
  JSON_TYPE,
  review,
  secretFolder,
  startInjector,
} from './injector.ts';

type Golden = { outcome: string; warnings: string[]; patch: unknown[]; pod?: object };
const golden = (name: string) => {
  const read = (kind: string) =>
    JSON.parse(
      readFileSync(fileURLToPath(new URL(`../../golden/injector/${name}.${kind}.json`, import.meta.url)), 'utf8'),
    );
  return { pod: (read('in') as { pod: Record<string, unknown> }).pod, out: read('out') as Golden };
};
type Response = { uid: string; allowed: boolean; warnings?: string[]; patchType?: string; patch?: string };
const responseOf = ({ text }: Answer) => (JSON.parse(text) as { response: Response }).response;
const patchOf = ({ patch }: Response) => JSON.parse(Buffer.from(patch ?? '', 'base64').toString()) as unknown[];

const folder = secretFolder();
const first = folder.identity();
let injector: Injector;
const send = (body: string | Buffer, options = {}) =>
  call({ port: injector.port, ca: first.certificate, headers: JSON_TYPE, ...options }, body);

beforeAll(async () => {
  folder.put(first);
  injector = await startInjector(folder, { KUBERNETES_VERSION: 'v1.33.2+k3s1' });
});
afterAll(async () => {
  await injector.end('SIGKILL');
  folder.remove();
});

describe('reviews', () => {
  it('answers with the patch that the golden files know, and none when asked again with its result', async () => {
    const { pod, out } = golden('probes-by-name');
    const answer = await send(review(pod));
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json']);
    const response = responseOf(answer);
    expect(response).toMatchObject({
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      allowed: true,
      patchType: 'JSONPatch',
    });
    expect(patchOf(response)).toEqual(out.patch);
    const injected = jsonPatch(pod, patchOf(response));
    expect(injected).toEqual(out.pod);
    const again = responseOf(await send(review(injected)));
    expect(again).toEqual({ uid: response.uid, allowed: true });
  });

  it('lets a pod with wrong annotations in, with warnings that an API server does not cut', async () => {
    for (const name of ['wrong-several', 'wrong-very-long', 'host-network', 'job-1.28']) {
      const { pod } = golden(name);
      const response = responseOf(await send(review(pod)));
      expect(response.allowed).toBe(true);
      if (name === 'job-1.28') expect(patchOf(response)).not.toEqual([]);
      else expect(response.patch).toBeUndefined();
      for (const warning of response.warnings ?? [])
        expect(warning).toMatch(/^No Fairway agent for this pod: .{1,200}\.$/);
    }
  });

  it('takes the namespace from the request, since a controller leaves it out of the pod', async () => {
    const { pod } = golden('port-by-argument');
    const response = responseOf(await send(review(pod, { namespace: 'kube-system' })));
    expect(response.warnings).toEqual([
      'No Fairway agent for this pod: namespace "kube-system" belongs to the cluster.',
    ]);
  });

  it.each([
    ['an update', { operation: 'UPDATE' }],
    ['a deletion', { operation: 'DELETE', object: null }],
    ['another resource', { resource: { group: 'apps', version: 'v1', resource: 'deployments' } }],
    ['a subresource', { subResource: 'ephemeralcontainers' }],
  ])('lets %s through without a look', async (_, changes) => {
    const response = responseOf(await send(review(golden('port-by-argument').pod, changes)));
    expect(response).toEqual({ uid: response.uid, allowed: true });
  });

  it('tells what it did by metrics, and by the log without anything of the environment', async () => {
    const { pod } = golden('everything-else');
    expect(JSON.stringify(pod)).toContain('sample-secret-value');
    expect(responseOf(await send(review(pod))).patch).toBeDefined();
    await send(review({ ...pod, spec: { containers: 'sample-secret-value' } }));
    await send('{"sample-secret-value": ');
    const metrics = await (await fetch(`${injector.admin}/metrics`)).text();
    expect(metrics).toMatch(/fairway_injector_reviews_total\{outcome="injected"\} [1-9]/);
    expect(metrics).toMatch(/fairway_injector_reviews_total\{outcome="invalid"\} [2-9]/);
    expect(metrics).toMatch(/fairway_injector_certificate_expires_seconds \d{10}/);
    await eventually(async () => injector.output().includes('"outcome":"injected"'));
    expect(injector.output()).not.toContain('sample-secret-value');
  });
});

describe('what is no review', () => {
  const problem = (answer: Answer) => ({
    ...(JSON.parse(answer.text) as object),
    type: answer.headers['content-type'],
  });

  it.each([
    ['garbage', 400, 'no JSON', '\u0000\u0001'],
    ['nothing', 400, 'no JSON', ''],
    ['a list', 400, 'AdmissionReview', '[]'],
    ['the version before', 400, 'admissionReviewVersions', review({}).replace('k8s.io/v1', 'k8s.io/v1beta1')],
    ['no uid', 400, 'request.uid', review({}, { uid: '' })],
    ['no pod', 400, 'request.object.spec must be an object', review({})],
    [
      'a pod of another shape',
      400,
      'request.object.spec.containers must be a list',
      review({ spec: { containers: {} } }),
    ],
  ])('%s is told in a sentence', async (_, status, part, body) => {
    const answer = await send(body);
    expect(answer.status).toBe(status);
    expect(problem(answer)).toMatchObject({
      type: 'application/problem+json',
      status,
      code: 'input.invalid',
      detail: expect.stringContaining(part),
    });
  });

  it('another path, method or type is refused', async () => {
    expect((await send('{}', { path: '/mutate' })).status).toBe(404);
    const get = await send('', { method: 'GET' });
    expect([get.status, get.headers['allow']]).toEqual([405, 'POST']);
    expect((await send('{}', { headers: { 'content-type': 'text/yaml' } })).status).toBe(415);
  });

  it('a body above 3 MiB is refused, whether its length is said or not, and the next one is served', async () => {
    const big = review({ padding: 'x'.repeat(4 * 1024 * 1024) });
    // The connection may be reset while the rest is still being sent; then there is no answer to read.
    const status = (answer: Promise<Answer>) =>
      answer.then(
        ({ status }) => status,
        ({ code }: NodeJS.ErrnoException) => code,
      );
    expect([413, 'EPIPE', 'ECONNRESET']).toContain(await status(send(big)));
    const chunked = { headers: { ...JSON_TYPE, 'transfer-encoding': 'chunked' } };
    expect([413, 'EPIPE', 'ECONNRESET']).toContain(await status(send(big, chunked)));
    await eventually(async () => injector.output().includes('"status":413'));
    expect((await send(review(golden('not-asked').pod))).status).toBe(200);
  });

  it('a value nested a hundred thousand deep is carried past', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const body = review(golden('port-by-argument').pod).replace('"containers":', `"deep":${deep},"containers":`);
    expect(responseOf(await send(body)).patch).toBeDefined();
  });
});

describe('start and end', () => {
  const folders: ReturnType<typeof secretFolder>[] = [];
  const running: Injector[] = [];
  const fresh = () => {
    const made = secretFolder();
    folders.push(made);
    return made;
  };
  const start = async (...args: Parameters<typeof startInjector>) => {
    const started = await startInjector(...args);
    running.push(started);
    return started;
  };
  afterEach(async () => {
    for (const each of running.splice(0)) await each.end('SIGKILL');
    for (const each of folders.splice(0)) each.remove();
  });

  it('says all that is missing at once', async () => {
    const empty = fresh();
    const bare = await start(empty, { AGENT_IMAGE: '', SIDECAR: 'maybe', KUBERNETES_VERSION: 'new' }, false);
    expect(bare.child.exitCode ?? (await once(bare.child, 'exit'))[0]).toBe(1);
    await eventually(async () =>
      /AGENT_IMAGE is not set[^]*SIDECAR must be one of[^]*KUBERNETES_VERSION must/.test(bare.output()),
    );
  });

  it('asks the cluster for its version, with its token, and takes plain containers while it has no answer', async () => {
    const own = fresh();
    const identity = own.identity();
    own.put(identity);
    const account = join(own.root, 'account');
    mkdirSync(account);
    writeFileSync(join(account, 'token'), 'sample-token\n');
    writeFileSync(join(account, 'ca.crt'), identity.certificate);
    const asked: (string | undefined)[] = [];
    const answers = [JSON.stringify({ major: '1', minor: '30+', gitVersion: 'v1.30.1-eks' }), '{}'];
    const api = createServer({ key: identity.key, cert: identity.certificate }, (request, response) => {
      asked.push(`${request.url} ${request.headers.authorization}`);
      response.end(answers[asked.length - 1]);
    });
    api.listen(0, '127.0.0.1');
    await once(api, 'listening');
    const env = {
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: String((api.address() as AddressInfo).port),
      SERVICE_ACCOUNT_DIR: account,
    };
    const patched = async ({ port }: Injector) => {
      const options = { port, ca: identity.certificate, headers: JSON_TYPE };
      return JSON.stringify(patchOf(responseOf(await call(options, review(golden('port-by-argument').pod)))));
    };
    expect(await patched(await start(own, env))).toContain('"path":"/spec/initContainers"');
    expect(await patched(await start(own, env))).toContain('"path":"/spec/containers/1"');
    expect(asked).toEqual(['/version Bearer sample-token', '/version Bearer sample-token']);
    await new Promise((resolve) => api.close(resolve));
    const alone = await start(own, { ...env, SIDECAR: 'native' });
    expect(await patched(alone)).toContain(AGENT_IMAGE);
    await eventually(async () => /cluster does not say its version/.test(alone.output()));
    expect(alone.output()).not.toContain('sample-token');
  });

  it('answers what is under way when it is told to end', async () => {
    const own = fresh();
    const identity = own.identity();
    own.put(identity);
    const started = await start(own, { KUBERNETES_VERSION: '1.28' });
    const body = review(golden('port-by-argument').pod);
    const socket = connect({ host: '127.0.0.1', port: started.port, ca: identity.certificate });
    await once(socket, 'secureConnect');
    let answer = '';
    socket.on('data', (part) => (answer += part));
    const head = `POST /inject HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
    socket.write(head + body.slice(0, 100));
    // The request is known to the server before the signal comes: an answer on the same connection would come after it.
    await eventually(async () => (await fetch(`${started.admin}/healthz`)).status === 200);
    const ended = started.end('SIGTERM');
    await eventually(async () => started.output().includes('"msg":"stopping"'));
    socket.write(body.slice(100));
    expect(await ended).toBe(0);
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK[^]*JSONPatch/);
  });
});
