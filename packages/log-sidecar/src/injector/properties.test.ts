import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AGENT_MEMORY_MIB, agentMemory, readEnv } from '@fairway/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ENVIRONMENT } from '../config.ts';
import { inject, type Injection, type Surroundings } from './inject.ts';
import { diff, type Operation } from './patch.ts';
import { isAgent } from './plan.ts';
import { allContainers, type Container, type ContainerPort, type Handler, type Pod, portsOf } from './pod.ts';
import { readPod } from './read-pod.ts';

/** RFC 6902 as far as the injector uses it, strictly: what is not there may be neither replaced nor removed. */
function applied(target: unknown, operations: readonly Operation[]): unknown {
  let root = structuredClone(target);
  for (const operation of operations) root = one(root, operation.path.split('/').slice(1).map(unescaped), operation);
  return root;
}

const unescaped = (key: string) => key.replaceAll('~1', '/').replaceAll('~0', '~');

function one(target: unknown, [key, ...rest]: readonly string[], operation: Operation): unknown {
  if (key === undefined) return operation.op === 'remove' ? fail(operation) : operation.value;
  if (Array.isArray(target)) {
    const index = /^(0|[1-9]\d*)$/.test(key) ? Number(key) : fail(operation);
    if (index > target.length || (index === target.length && (rest.length > 0 || operation.op !== 'add')))
      fail(operation);
    if (rest.length > 0) return target.with(index, one(target[index], rest, operation));
    if (operation.op === 'remove') return target.toSpliced(index, 1);
    return target.toSpliced(index, operation.op === 'add' ? 0 : 1, operation.value);
  }
  if (typeof target !== 'object' || target === null) return fail(operation);
  const fields = { ...(target as Record<string, unknown>) };
  if (!Object.hasOwn(fields, key) && (rest.length > 0 || operation.op !== 'add')) fail(operation);
  if (rest.length === 0 && operation.op === 'remove') delete fields[key];
  else
    Object.defineProperty(fields, key, {
      value: rest.length > 0 ? one(fields[key], rest, operation) : (operation as { value: unknown }).value,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  return fields;
}

function fail({ op, path }: Operation): never {
  throw new Error(`${op} ${path} does not apply`);
}

const json = fc.jsonValue({ maxDepth: 4, noUnicodeString: false }).map((value) => JSON.parse(JSON.stringify(value)));

test('the patch of two values turns the one into the other', () => {
  fc.assert(
    fc.property(json, json, (before, after) => {
      expect(applied(before, diff(before, after))).toEqual(after);
    }),
  );
});

test('a value and its copy have no differences but by value', () => {
  fc.assert(
    fc.property(json, (value) => {
      expect(diff(value, structuredClone(value))).toEqual([]);
    }),
  );
});

test('the patch is as small as the change, in the order of the keys', () => {
  const before = { b: [1, { x: 1, y: 2 }], a: 'same', 'c/~': null };
  expect(diff(before, { b: [1, { x: 1, y: 3 }, 4], a: 'same', 'c/~': false, d: 0 })).toEqual([
    { op: 'replace', path: '/b/1/y', value: 3 },
    { op: 'add', path: '/b/2', value: 4 },
    { op: 'replace', path: '/c~1~0', value: false },
    { op: 'add', path: '/d', value: 0 },
  ]);
  expect(diff([1, 2, 3, 4], [1, 3])).toEqual([
    { op: 'replace', path: '/1', value: 3 },
    { op: 'remove', path: '/3' },
    { op: 'remove', path: '/2' },
  ]);
});

const surroundings = (minor: number | undefined, sidecar: Surroundings['sidecar'] = 'auto'): Surroundings => ({
  template: { image: 'fairway/agent:1', queueSecret: 'fairway-queue' },
  minor,
  sidecar,
  namespace: 'models',
});

const RUNS = 150;
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 3 });
const port = fc.constantFrom(80, 8080, 8500, 8501, 9001, 9090, 18_501, 30_000, 65_535);
const portName = fc.constantFrom('http', 'rest', 'admin', 'predict');
const action = fc.record({ port: fc.oneof(port, portName), path: fc.constant('/v1/models/m') });
const handler = fc.oneof(
  fc.record({ httpGet: action, periodSeconds: fc.constant(5) }),
  fc.record({ tcpSocket: action }),
  fc.constant({ exec: { command: ['true'] } }),
  fc.constant({ grpc: { port: 8500 } }),
);
const args = fc.array(
  fc.constantFrom(
    '--port=8500',
    '--rest_api_port=8501',
    '--rest_api_port=80',
    '--rest_api_port=0',
    '--model_name=m',
    '--',
  ),
  { maxLength: 3 },
);
const container = (name: string): fc.Arbitrary<Container> =>
  fc.record(
    {
      name: fc.constant(name),
      image: fc.constantFrom('tensorflow/serving', 'model:1'),
      command: fc.constantFrom(['tensorflow_model_server'], null),
      args: fc.oneof(args, fc.constant(null), fc.constant(['exec x --rest_api_port=8080 --model_name=m'])),
      env: fc.constant([{ name: 'MODEL_NAME', value: 'm' }]),
      ports: fc.uniqueArray(fc.record({ containerPort: port, name: portName }, { requiredKeys: ['containerPort'] }), {
        selector: ({ name, containerPort }) => name ?? containerPort,
        maxLength: 3,
      }),
      startupProbe: handler,
      readinessProbe: handler,
      livenessProbe: handler,
      lifecycle: fc.record({ postStart: handler, preStop: handler }, { requiredKeys: [] }),
    },
    { requiredKeys: ['name', 'env'] },
  ) as fc.Arbitrary<Container>;

const EXTRAS = [
  ['environment', 'Prod'],
  ['port', 'http'],
  ['port', 'rest'],
  ['port', '8501'],
  ['listen-port', '9100'],
  ['listen-port', '8501'],
  ['upstream-port', '7000'],
  ['admin-port', '9190'],
  ['sidecar', 'native'],
  ['sidecar', 'plain'],
  ['memory-limit', '1Gi'],
  ['grpc-listen-port', '8500'],
  ['grpc-listen-port', '9001'],
  ['grpc-listen-port', '9090'],
  ['grpc-listen-port', '18501'],
  ['grpc-listen-port', '80'],
  ['grpc-upstream', '127.0.0.1:9001'],
  ['trust-event-time', 'true'],
] as const;
const annotations = fc
  .uniqueArray(fc.constantFrom(...EXTRAS), { selector: ([name]) => name, maxLength: 2 })
  .map((extras) => extras.map(([name, value]): [string, string] => [`fairway.dev/${name}`, value]))
  .map((extras) => ({ 'fairway.dev/environment': 'prod', ...Object.fromEntries(extras) }));

const pods: fc.Arbitrary<Pod> = fc
  .tuple(container('serving'), optional(container('second')), optional(container('agent')), annotations, fc.boolean())
  .map(([serving, second, agent, annotations, spool]) => ({
    metadata: { name: 'pod', labels: { 'fairway.dev/inject': 'true' }, annotations },
    spec: {
      containers: [serving, ...(second ? [second] : [])],
      ...(agent ? { initContainers: [agent] } : {}),
      ...(spool ? { volumes: [{ name: 'spool', emptyDir: {} }] } : {}),
      restartPolicy: 'Always',
    },
  }));

const minors = fc.constantFrom(undefined, 28, 29, 33);
const cases = (): { pod: Pod; around: Surroundings }[] => {
  const folder = fileURLToPath(new URL('../../../../test/golden/injector/', import.meta.url));
  return readdirSync(folder)
    .filter((name) => name.endsWith('.in.json'))
    .map((name) => readPod((JSON.parse(readFileSync(folder + name, 'utf8')) as { pod: unknown }).pod))
    .map((read) => ({ pod: 'pod' in read ? read.pod : expect.fail(read.problem), around: surroundings(33) }));
};

function everyPod(check: (before: Pod, result: Injection, around: Surroundings) => void): void {
  for (const { pod, around } of cases()) check(pod, inject(pod, around), around);
  fc.assert(
    fc.property(pods, minors, (pod, minor) => {
      const around = surroundings(minor);
      check(pod, inject(pod, around), around);
    }),
    { numRuns: RUNS },
  );
}

test('injecting twice is injecting once, also when cluster and settings have changed in between', () => {
  everyPod((_, { outcome, pod }, around) => {
    if (outcome !== 'injected') return;
    for (const later of [around, surroundings(28), surroundings(40, 'native'), surroundings(undefined, 'plain')]) {
      expect(inject(pod, later)).toEqual({ outcome: 'present', pod, warnings: [] });
    }
  });
});

test('the patch of an injection applies, and does nothing to whom it is not for', () => {
  everyPod((before, { outcome, pod, warnings }) => {
    expect(applied(before, diff(before, pod))).toEqual(pod);
    if (outcome !== 'injected') expect(pod).toBe(before);
    if (outcome === 'refused') expect(warnings.length).toBeGreaterThan(0);
    for (const warning of warnings) expect(warning).toMatch(/^[^\p{Cc}]{1,200}$/u);
  });
});

const INTENDED = [
  /^\/metadata\/annotations(\/fairway\.dev~1status|\/kubectl\.kubernetes\.io~1default-container)?$/,
  /^\/spec\/containers\/\d+\/(args|(args|command)\/\d+|ports\/\d+\/containerPort)$/,
  /^\/spec\/containers\/\d+\/(startupProbe|readinessProbe|livenessProbe|lifecycle\/(postStart|preStop))\/(httpGet|tcpSocket)\/port$/,
  /^\/spec\/(volumes|containers|initContainers)(\/\d+)?$/,
];

test('nothing is removed, and nothing but what is meant is touched', () => {
  everyPod((before, { pod }) => {
    for (const { op, path } of diff(before, pod)) {
      expect(INTENDED.some((intended) => intended.test(path)) ? op : path).toMatch(/^(add|replace)$/);
    }
    expect(pod.spec.containers.slice(0, before.spec.containers.length).map(({ name }) => name)).toEqual(
      before.spec.containers.map(({ name }) => name),
    );
  });
});

const envOf = (container: Container | undefined) =>
  Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value ?? undefined]));

/** What an injection comes to, read from the pod's own words and not from the injector's status. */
function network(before: Pod, after: Pod) {
  const agent = allContainers(after).find((one) => isAgent(one) && !before.spec.containers.includes(one));
  const env = envOf(agent);
  const index = after.spec.containers.findIndex((one, at) => one !== before.spec.containers[at] && one !== agent);
  const [listen, admin] = [Number(env['LISTEN_PORT']), Number(env['ADMIN_PORT'])];
  return { agent, env, listen, admin, upstream: Number(env['UPSTREAM']?.split(':')[1]), index };
}

/** What the command line says beyond doubt: one `--rest_api_port`, or the published image's own and nothing else. */
function servedOn({ image, command, args }: Container): number | undefined {
  const words = [...(command ?? []), ...(args ?? [])];
  const [first, second] = [...words.join(' ').matchAll(/--rest_api_port=(\d+)/g)];
  if (second !== undefined || words.includes('--')) return undefined;
  const stock = image === 'tensorflow/serving' && !command ? 8501 : undefined;
  return first === undefined ? stock : Number(first[1]);
}

/** As a Service finds a port by its name in Kubernetes before 1.32: in containers only, the first one. */
const targetOf = (pod: Pod, name: string) =>
  pod.spec.containers.flatMap(portsOf).find((entry) => entry.name === name)?.containerPort;

function resolved(container: Container, handler: Handler | null | undefined): number | undefined {
  const port = handler?.httpGet?.port ?? handler?.tcpSocket?.port;
  return typeof port === 'string' ? portsOf(container).find(({ name }) => name === port)?.containerPort : port;
}

/** Pods that get the agent: what they came from and what became of them. Sampled, since few of the arbitrary ones do. */
const injected = () =>
  fc.sample(fc.tuple(pods, minors), 600).flatMap(([before, minor]) => {
    const { outcome, pod: after } = inject(before, surroundings(minor));
    const { index, ...sockets } = network(before, after);
    const [was, now] = [before.spec.containers[index], after.spec.containers[index]];
    return outcome === 'injected' && was && now ? [{ before, after, was, now, ...sockets }] : [];
  });

test('no two processes listen on one port, and the agent stands before the port where the model listens', () => {
  const all = injected();
  expect(all.length).toBeGreaterThan(60);
  for (const { before, was, now, listen, admin, upstream, env } of all) {
    expect(new Set([listen, admin, upstream]).size).toBe(3);
    const grpc = Number(env['GRPC_LISTEN_PORT'] ?? 0);
    const local = Number(env['GRPC_UPSTREAM']?.split(':')[1]);
    if (grpc > 0) expect([listen, admin, upstream, local, 8500]).not.toContain(grpc);
    if (grpc > 0) expect(grpc).toBeGreaterThan(1023);
    expect([listen === servedOn(was) ? 0 : listen, admin]).not.toContain(local);
    const others = [...(before.spec.initContainers ?? []), ...before.spec.containers].filter((one) => one !== was);
    const port = servedOn(was);
    for (const { containerPort } of others.flatMap(portsOf)) {
      expect([admin, listen === port ? upstream : listen]).not.toContain(containerPort);
    }
    if (port === undefined) expect([now.command, now.args]).toEqual([was.command, was.args]);
    else expect(servedOn(now)).toBe(upstream);
    const known = [port, ...portsOf(was).map(({ containerPort }) => containerPort)];
    expect(known).toContain(listen === port ? listen : upstream);
  }
});

test("names lead where they led or to the agent, and each of the model's probes reaches what it should", () => {
  for (const { before, after, was, now, listen, upstream } of injected()) {
    const port = now.ports === was.ports ? listen : upstream;
    const wasLed = ({ name, containerPort }: ContainerPort) =>
      containerPort === port && portsOf(was).some((one) => one.name === name);
    for (const entry of before.spec.containers.flatMap(portsOf).filter(({ name }) => name)) {
      const first = targetOf(before, entry.name ?? '');
      if (first !== entry.containerPort) continue;
      expect(targetOf(after, entry.name ?? '')).toBe(wasLed(entry) ? listen : first);
    }
    const pairs = [
      [was.startupProbe, now.startupProbe, upstream],
      [was.livenessProbe, now.livenessProbe, upstream],
      [was.lifecycle?.postStart, now.lifecycle?.postStart, upstream],
      [was.lifecycle?.preStop, now.lifecycle?.preStop, upstream],
      [was.readinessProbe, now.readinessProbe, was.readinessProbe?.httpGet ? listen : upstream],
    ] as const;
    for (const [old, mended, goal] of pairs) {
      const reached = resolved(was, old);
      expect(resolved(now, mended)).toBe(reached === port ? goal : reached);
    }
  }
});

test('the agent can read what it is told, and is hardened', () => {
  const secrets = { QUEUE_URL: 'redis://queue', QUEUE_PREFIX: 'fairway', AGENT_NAME: 'pod' };
  const known = new Set([...Object.keys(ENVIRONMENT), ...Object.keys(agentMemory(AGENT_MEMORY_MIB))]);
  for (const { agent, env } of injected()) {
    const said = Object.fromEntries(Object.entries(env).filter(([name]) => !name.endsWith('_FILE')));
    expect(readEnv({ ...said, ...secrets }, ENVIRONMENT)).toMatchObject({ FAIRWAY_MODEL: 'm' });
    expect(Object.keys(env).filter((name) => !known.has(name.replace(/_FILE$/, '')))).toEqual([]);
    for (const [name, file] of Object.entries(env).filter(([name]) => name.endsWith('_FILE')))
      expect([name, file?.startsWith('/etc/fairway-queue/')]).toEqual([name, true]);
    expect(JSON.stringify(agent)).not.toMatch(/runAsUser|runAsGroup|privileged/);
    expect(agent).toMatchObject({ securityContext: { readOnlyRootFilesystem: true, runAsNonRoot: true } });
  }
});
