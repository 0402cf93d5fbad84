import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { inject, type Surroundings } from './inject.ts';
import { diff } from './patch.ts';
import { readPod } from './read-pod.ts';
import type { Pod } from './pod.ts';
import { parseVersion } from './version.ts';

/** Each `NAME.in.json` is a pod and where it is to run; `NAME.out.json` is what the injector makes of it. */
type Shape = {
  readonly about: string;
  readonly kubernetes: string | null;
  readonly namespace: string;
  readonly sidecar?: 'native' | 'plain';
  readonly pod: unknown;
};

const folder = fileURLToPath(new URL('../../../../test/golden/injector/', import.meta.url));
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.in.json'))
  .map((name) => name.slice(0, -'.in.json'.length))
  .sort();
const template = { image: `registry.example.com/fairway/agent@sha256:${'c'.repeat(64)}`, queueSecret: 'fairway-queue' };

function load(name: string): { pod: Pod; surroundings: Surroundings } {
  const shape = JSON.parse(readFileSync(`${folder}${name}.in.json`, 'utf8')) as Shape;
  const read = readPod(shape.pod);
  if ('problem' in read) throw new Error(`${name}: ${read.problem}`);
  const minor = shape.kubernetes === null ? undefined : parseVersion(shape.kubernetes)?.minor;
  return {
    pod: read.pod,
    surroundings: { template, minor, sidecar: shape.sidecar ?? 'auto', namespace: shape.namespace },
  };
}

test('there are shapes enough', () => {
  expect(names.length).toBeGreaterThanOrEqual(40);
});

test.each(names)('%s', async (name) => {
  const { pod, surroundings } = load(name);
  const { outcome, pod: after, warnings } = inject(pod, surroundings);
  const patch = diff(pod, after);
  const result = { outcome, warnings, patch, ...(outcome === 'injected' ? { pod: after } : {}) };
  await expect(`${JSON.stringify(result, undefined, 2)}\n`).toMatchFileSnapshot(`${folder}${name}.out.json`);
});
