import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { EnvSpec } from '@fairway/core';
import { WRITER_ENV } from '@fairway/gitops-writer';
import { beforeAll, describe, expect, it } from 'vitest';
import { INJECTOR_ENV } from '../../../packages/log-sidecar/src/injector/config.ts';
import { MONITOR_ENV, RECORDER_ENV } from '../../../packages/monitor/src/config.ts';
import { ROOT } from '../../guards/source.ts';
import { isSecretSetting } from '../../manifests/policy.ts';
import { kustomize, scratch } from '../../manifests/render.ts';

const SERVICES: ReadonlyArray<readonly [string, EnvSpec]> = [
  ['writer', WRITER_ENV],
  ['recorder', RECORDER_ENV],
  ['monitor', MONITOR_ENV],
  ['injector', INJECTOR_ENV],
];

/** What the Deployment of the service gives by itself, whatever an overlay says: `NAME` or `NAME_FILE`. */
function given(service: string): Set<string> {
  const [deployment] = kustomize(join(ROOT, 'manifests/install/services', service)).filter(
    ({ kind }) => kind === 'Deployment',
  );
  if (deployment === undefined) throw new Error(`there is no Deployment of the ${service}`);
  const { template } = deployment['spec'] as {
    template: { spec: { containers: [{ env: ReadonlyArray<{ name: string }> }] } };
  };
  return new Set(template.spec.containers[0].env.map(({ name }) => name));
}

/** The file of settings as it has to be: one line to take the mark away from, under what the service itself says of it. */
function list(service: string, spec: EnvSpec, has: ReadonlySet<string>): string {
  const free = Object.entries(spec).filter(([name]) => !has.has(name) && !has.has(`${name}_FILE`));
  const lines = free.flatMap(([name, { read, about }]) => {
    const unset = read(undefined);
    const fallback = 'value' in unset && ['string', 'number', 'boolean'].includes(typeof unset.value);
    const line = isSecretSetting(name)
      ? `#${name}_FILE=/etc/fairway/secrets/${name}`
      : `#${name}=${fallback ? String(unset.value) : ''}`;
    const needed = 'problem' in unset ? ' Needed.' : '';
    return [`# ${about}.${needed}`, line];
  });
  return [
    `# Every setting of the ${service} that its Deployment does not make by itself, with what counts where it is not set. Copy the`,
    `# lines you want into the ${service}.env of your overlay. _FILE: a key of Secret fairway-${service}.`,
    ...lines,
    '',
  ].join('\n');
}

describe.each(SERVICES)('the settings of the %s', (service, spec) => {
  let has: Set<string>;
  beforeAll(() => {
    has = given(service);
  });

  it('are all in the manifests', async () => {
    await expect(list(service, spec, has)).toMatchFileSnapshot(join(ROOT, `manifests/install/settings/${service}.env`));
  });

  it('are all in the docs', () => {
    const docs = ['docs', 'docs/sas'].flatMap((folder) =>
      readdirSync(join(ROOT, folder))
        .filter((name) => name.endsWith('.md'))
        .map((name) => readFileSync(join(ROOT, folder, name), 'utf8')),
    );
    const text = docs.join('\n');
    const missing = Object.keys(spec).filter((name) => !new RegExp(`\\b${name}(_FILE)?\\b`).test(text));
    expect(missing).toEqual([]);
  });
});

it('leads every alert to where an overlay says that the runbooks are read, by the lines in their README', () => {
  const readme = readFileSync(join(ROOT, 'docs/runbooks/README.md'), 'utf8');
  const lines = /^configMapGenerator:[\s\S]*?(?=^```)/m.exec(readme)?.[0] ?? '';
  const folder = scratch();
  try {
    const overlay = relative(folder, join(ROOT, 'manifests/install/overlays/openshift'));
    const head = `apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [${overlay}]\n`;
    writeFileSync(join(folder, 'kustomization.yaml'), `${head}${lines}`);
    const objects = kustomize(folder);
    const urls = JSON.stringify(objects.filter(({ kind }) => kind === 'PrometheusRule')).match(/https:[^"]*/g) ?? [];
    expect(urls.length).toBeGreaterThan(10);
    for (const url of urls)
      expect(url).toMatch(/^https:\/\/git\.bank\.example\/fairway\/src\/branch\/main\/docs\/runbooks\/[a-z-]+\.md$/);
    expect(objects.map(({ metadata }) => metadata.name)).not.toContain('fairway-runbooks');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
