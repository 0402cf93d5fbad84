import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RESIDENT_MB } from '../../bench/resident.ts';
import { ROOT } from '../../guards/source.ts';
import { rendering } from '../../manifests/render.ts';

type Resources = { readonly requests: { readonly memory: string }; readonly limits: { readonly memory: string } };
type Container = { readonly name: string; readonly resources: Resources };
type Spec = {
  readonly template: {
    readonly spec: { readonly containers: readonly Container[]; readonly initContainers?: readonly Container[] };
  };
};

const mb = (quantity: string): number => {
  const mebi = /^(\d+)Mi$/.exec(quantity)?.[1];
  if (mebi === undefined) throw new Error(`${quantity} is no number of Mi`);
  return (Number(mebi) * 2 ** 20) / 1e6;
};
/** The writer's burst of a thousand approvals, by far the most that any service came to hold (docs/measured.md, bar of `burst-rss`). */
const BURST_MB = 400;
/** A second Node beside the injector, which its preStop hook sleeps in. */
const PRE_STOP_MB = 45;

const shipped = (name: string): Resources => {
  const found = rendering('manifests/install/overlays/openshift').objects.find(
    ({ kind, metadata }) => kind === 'Deployment' && metadata.name === `fairway-${name}`,
  );
  if (found === undefined) throw new Error(`no Deployment fairway-${name} is rendered`);
  const [container] = (found['spec'] as Spec).template.spec.containers;
  return (container as Container).resources;
};
/** Of a container that the writer renders, in one of its samples. */
const rendered = (sample: string, name: string): Resources => {
  const { spec } = parse(readFileSync(join(ROOT, 'test/golden/writer', sample), 'utf8')) as { spec: Spec };
  const { containers, initContainers = [] } = spec.template.spec;
  return ([...initContainers, ...containers].find((one) => one.name === name) as Container).resources;
};

it.each([
  ['writer', () => shipped('writer'), RESIDENT_MB.writer, BURST_MB],
  ['recorder', () => shipped('recorder'), RESIDENT_MB.monitor, RESIDENT_MB.monitor],
  ['monitor', () => shipped('monitor'), RESIDENT_MB.monitor, RESIDENT_MB.monitor],
  ['injector', () => shipped('injector'), RESIDENT_MB.injector, RESIDENT_MB.injector + PRE_STOP_MB],
  ['agent', () => rendered('deploy/deployment.yaml', 'agent'), RESIDENT_MB.agent, RESIDENT_MB.agent],
  ['tail', () => rendered('variants/tail/tail.yaml', 'tail'), RESIDENT_MB.tail, RESIDENT_MB.tail],
  ['smoke test', () => rendered('smoke/smoke.yaml', 'smoke'), RESIDENT_MB.smoke, RESIDENT_MB.smoke],
])(
  'the memory of the %s is asked for as its load needs, and its limit lets the worst through',
  (_, resources, load, worst) => {
    const { requests, limits } = resources();
    expect(mb(requests.memory)).toBeGreaterThanOrEqual(load);
    expect(mb(limits.memory)).toBeGreaterThanOrEqual(worst * 1.25);
  },
);
