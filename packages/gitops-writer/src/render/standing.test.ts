import { expect, it } from 'vitest';
import { blastRadius } from './blast-radius.ts';
import { parseModelFile } from './model-file.ts';
import { standingIn } from './standing.ts';

const at = (name: string, spec: object | string) => ({
  path: `models/m/environments/prod/${name}`,
  text: typeof spec === 'string' ? spec : JSON.stringify({ spec }),
});

it.each<[string, Parameters<typeof standingIn>[0], object]>([
  ['nothing', [], {}],
  ['replicas', [at('deployment.yaml', { replicas: 3 })], { replicas: 3 }],
  ['an autoscaler', [at('autoscaler.yaml', { minReplicas: 2, maxReplicas: 9 })], { autoscaling: { min: 2, max: 9 } }],
  ['a Route', [at('route.yaml', { host: 'm.example.com' })], { door: { kind: 'route', host: 'm.example.com' } }],
  ['a Route without a host', [at('route.yaml', {})], { door: { kind: 'route', host: undefined } }],
  [
    'an Ingress',
    [at('ingress.yaml', { rules: [{ host: 'i.example.com' }] })],
    { door: { kind: 'ingress', host: 'i.example.com' } },
  ],
  [
    'an HTTPRoute',
    [at('http-route.yaml', { hostnames: ['g.example.com'], rules: [{}] })],
    { door: { kind: 'gateway', host: 'g.example.com' } },
  ],
  [
    'what people have broken',
    [at('deployment.yaml', '{'), at('autoscaler.yaml', 'x: 1'), at('stable-deployment.yaml', { replicas: 5 })],
    {},
  ],
])('reads %s', (_, files, standing) =>
  expect(standingIn(files)).toEqual({ replicas: undefined, autoscaling: undefined, door: undefined, ...standing }),
);

const file = parseModelFile(
  'm',
  `apiVersion: fairway.dev/v1
kind: Model
name: m
owner: a@example.com
source: { registry: directory }
environments: [{ name: prod, namespace: m-prod, merge: review }]
serving: { replicas: 5, route: { host: new.example.com } }
`,
);

it('tells of a folder that is put back what its files say, not what model.yaml says by now', () => {
  const [environment] = file.environments;
  if (environment === undefined) throw new Error('there is one environment');
  const before = [at('deployment.yaml', { replicas: 5 })];
  const restored = [
    at('deployment.yaml', { replicas: 2 }),
    at('ingress.yaml', { rules: [{ host: 'old.example.com' }] }),
  ];
  const text = blastRadius({ environment, file, before, restored }).render(10_000);
  expect(text).toContain('`m`, 2 replicas (5 now)');
  expect(text).toContain('5 pods are replaced by 2, as new ones get ready');
  expect(text).toContain('Ingress, `old.example.com`');
  expect(text).not.toContain('new.example.com');
  const deployed = blastRadius({ environment, file, before }).render(10_000);
  expect(deployed).toContain('5 pods are replaced as new ones get ready; capacity stays');
  expect(deployed).toContain('Route, `new.example.com`');
});
