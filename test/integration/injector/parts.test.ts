import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { systemClock, silentLogger } from '@fairway/core';
import { build } from 'esbuild';
import { afterEach, expect, it } from 'vitest';
import { deployment, type Workload } from '../../../packages/gitops-writer/src/render/workload.ts';
import { certificates } from '../../../packages/log-sidecar/src/injector/certificates.ts';
import { inject } from '../../../packages/log-sidecar/src/injector/inject.ts';
import type { Container, Pod } from '../../../packages/log-sidecar/src/injector/pod.ts';
import { tlsServer } from '../../../packages/log-sidecar/src/injector/servers.ts';
import { answerWebhook } from '../../../packages/log-sidecar/src/injector/webhook.ts';
import { freePort } from '../../harness/ports.ts';
import { secretFolder } from './injector.ts';

const ends: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const surroundings = {
  template: { image: 'fairway/agent@sha256:1', queueSecret: 'fairway-queue' },
  minor: 33,
  sidecar: 'auto' as const,
};

it('a peer that does not go on is let go: in the handshake, the head and the body', async () => {
  const folder = secretFolder();
  ends.push(folder.remove);
  const { certificate: ca, key } = folder.identity();
  folder.put({ certificate: ca, key });
  const pair = { cert: folder.cert, key: folder.key, everyMs: 60_000 };
  const keys = certificates(pair, { clock: systemClock, log: silentLogger, told: () => {} });
  const webhook = {
    surroundings: () => surroundings,
    reviewed: () => {},
    monotonic: () => 0,
    log: silentLogger,
    mostBytes: 1000,
  };
  const port = await freePort();
  const limits = { handshakeMs: 200, headMs: 200, requestMs: 300, graceMs: 100 };
  const server = tlsServer({ host: '127.0.0.1', port }, keys, limits, (request, response) => {
    void answerWebhook(webhook, request, response);
  });
  await keys.start();
  ends.push(() => keys.stop());
  await server.start();
  ends.push(() => server.stop());

  const silent = connectTcp(port, '127.0.0.1');
  silent.on('error', () => {});
  await once(silent, 'close');
  for (const part of [
    'POST /inject HT',
    'POST /inject HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
  ]) {
    const socket = connect({ host: '127.0.0.1', port, ca });
    let answer = '';
    socket.on('data', (text) => (answer += text)).on('error', () => {});
    await once(socket, 'secureConnect');
    socket.write(part);
    await once(socket, 'close');
    expect(answer).toMatch(/^(HTTP\/1\.1 408 |$)/);
  }
});

const bundled = async (entry: string) => {
  const path = fileURLToPath(new URL(`../../../packages/log-sidecar/src/${entry}`, import.meta.url));
  const { metafile } = await build({
    entryPoints: [path],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    conditions: ['source'],
    logLevel: 'silent',
  });
  return Object.keys(metafile.inputs);
};

it("the agent's bundle has nothing of the injector, nor the injector's of queue and proxy", async () => {
  expect((await bundled('main.ts')).filter((name) => name.includes('/injector/'))).toEqual([]);
  const inputs = await bundled('injector-main.ts');
  expect(inputs.some((name) => name.endsWith('/injector/inject.ts'))).toBe(true);
  expect(inputs.filter((name) => /bullmq|ioredis|src\/(proxy|pump|spool|capture)\//.test(name))).toEqual([]);
});

const workload = {
  change: '0123456789abcdef0123',
  modelVersion: { model: 'home-equity', version: '2', digest: `sha256:${'a'.repeat(64)}` },
  environment: { name: 'prod', namespace: 'home-equity-prod' },
  file: { replicas: 1, trustEventTime: false, capture: {} },
  image: 'models/home-equity@sha256:2',
  agentImage: surroundings.template.image,
} as unknown as Workload;

type Template = { metadata: { labels: object; annotations: object }; spec: Pod['spec'] };
const rendered = (): Template => (deployment(workload) as { spec: { template: Template } }).spec.template;
const labelled = ({ metadata, spec }: Template): Pod => ({
  metadata: { ...metadata, labels: { ...metadata.labels, 'fairway.dev/inject': 'true' } } as NonNullable<
    Pod['metadata']
  >,
  spec,
});
const injected = (pod: Pod) => inject(pod, { ...surroundings, namespace: 'home-equity-prod' });

it("a pod that the writer has rendered is left alone, and without its agent gets the writer's", () => {
  const pod = labelled(rendered());
  expect(injected(pod)).toEqual({ outcome: 'present', pod, warnings: [] });
  const [writers] = pod.spec.initContainers as [Container & Record<string, unknown>];
  const { outcome, pod: after } = injected({ ...pod, spec: { ...pod.spec, initContainers: [], volumes: [] } });
  expect(outcome).toBe('injected');
  const [ours] = after.spec.initContainers as [Container & Record<string, unknown>];
  for (const field of ['name', 'image', 'restartPolicy', 'volumeMounts', 'resources'] as const) {
    expect([field, ours[field]]).toEqual([field, writers[field]]);
  }
  // Only that the heap follows the memory limit has no counterpart in what the writer renders.
  expect(ours.env?.filter(({ name }) => name !== 'NODE_OPTIONS')).toEqual(writers.env);
  expect(ours['securityContext']).toMatchObject(writers['securityContext'] as object);
  expect(after.spec.volumes).toEqual(pod.spec.volumes);
});
