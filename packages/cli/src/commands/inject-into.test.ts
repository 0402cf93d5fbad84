import { expect, test } from 'vitest';
import { injectInto } from './inject-into.ts';

const around = {
  minor: 33,
  sidecar: 'auto' as const,
  template: { image: 'fairway/agent', queueSecret: 'fairway-queue' },
};
const template = (labels = { 'fairway.dev/inject': 'true' }) => ({
  metadata: { labels, annotations: { 'fairway.dev/environment': 'prod' } },
  spec: {
    restartPolicy: 'Always',
    containers: [{ name: 'tf', image: 'tensorflow/serving', env: [{ name: 'MODEL_NAME', value: 'm' }] }],
  },
});
const into = (object: unknown, namespace = 'models') => injectInto(object, around, namespace);
const agents = (result: { object: unknown }) => JSON.stringify(result.object).split('"name":"agent"').length - 1;

test.each<[string, object]>([
  ['Pod', template()],
  ['PodTemplate', { template: template() }],
  ['CronJob', { spec: { schedule: '* * * * *', jobTemplate: { spec: { template: template() } } } }],
  ...['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ReplicationController', 'Job', 'Rollout'].map(
    (kind): [string, object] => [kind, { spec: { replicas: 2, template: template() } }],
  ),
])('the pods of a %s get their agent, once', (kind, fields) => {
  const object = { kind, ...fields };
  const once = into(object);
  expect([agents(once), once.notes]).toEqual([1, []]);
  expect(into(once.object)).toEqual({
    object: once.object,
    notes: [{ about: `${kind} without a name`, text: 'Left alone: it has its agent.' }],
  });
});

test('lists are gone through, and what has no pods stays as it is', () => {
  const service = { kind: 'Service', spec: { ports: [] } };
  const list = into({ kind: 'List', items: [service, { kind: 'Pod', ...template() }] });
  expect(agents(list)).toBe(1);
  expect((list.object as { items: unknown[] }).items[0]).toBe(service);
});

test('what is said names the object', () => {
  const metadata = { name: 'web\u001b[31m', namespace: 'kube-system' };
  expect(into({ kind: 'Deployment', metadata, spec: { template: template() } }).notes).toEqual([
    {
      about: 'Deployment web\uFFFD[31m',
      text: 'No Fairway agent for this pod: namespace "kube-system" belongs to the cluster.',
    },
  ]);
  expect(into({ kind: 'Pod', ...template({ 'fairway.dev/inject': 'false' }) }).notes[0]?.text).toMatch(
    /^Left alone: its/,
  );
});

test.each([
  ['text', 'A document cannot be injected into: it has no kind.'],
  [
    { kind: 'Deployment', metadata: { name: 'a' } },
    'Deployment a cannot be injected into: spec.template must be an object.',
  ],
  [{ kind: 'Pod', spec: { containers: [{}] } }, 'spec.containers[0].name must be a text.'],
  [
    { kind: 'Job', spec: { template: { spec: { containers: [{ name: 'a', ports: [{ containerPort: '8501' }] }] } } } },
    'spec.template.spec.containers[0].ports[0].containerPort must be a whole number.',
  ],
  [{ kind: 'Pod', metadata: { labels: { a: true } }, spec: { containers: [{ name: 'a' }] } }, 'metadata.labels["a"]'],
])('%j is told in a sentence', (object, sentence) => {
  expect(() => into(object)).toThrow(sentence);
});
