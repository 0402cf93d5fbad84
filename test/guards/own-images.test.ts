import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { entrypoint, ENV, IMAGES, pathIn, USER } from '../../tools/images/catalog.ts';
import { ROOT } from './source.ts';

const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const NAMES = IMAGES.map(({ name }) => name);

it('the Containerfile builds what npm run images builds', () => {
  const stages = new Map(
    text('images/Containerfile')
      .replaceAll('\\\n', ' ')
      .split(/^FROM /m)
      .slice(1)
      .map((stage) => [/ AS (\w+)/.exec(stage)?.[1] ?? '', stage]),
  );
  expect([...stages.keys()]).toEqual(['built', 'service', ...NAMES]);
  const service = stages.get('service') ?? '';
  for (const line of [`USER ${USER}`, 'WORKDIR /', 'STOPSIGNAL SIGTERM', ...ENV.map((entry) => `ENV ${entry}`)])
    expect(service.split('\n')).toContain(line);
  for (const key of ['version', 'revision', 'created', 'source', 'licenses'])
    expect(service).toContain(`org.opencontainers.image.${key}=`);
  expect(service).toContain(`ARG VERSION=${(JSON.parse(text('package.json')) as { version: string }).version}\n`);
  for (const image of IMAGES) {
    const folder = `/${pathIn(image.bundle, '')}`;
    const lines = stages.get(image.name)?.trim().split('\n').slice(0, 4);
    expect(lines).toEqual([
      `service AS ${image.name}`,
      `LABEL org.opencontainers.image.title="fairway-${image.name}"`,
      `COPY --from=built --chown=0:0 /out${folder} ${folder}`,
      `ENTRYPOINT ${JSON.stringify(entrypoint(image)).replaceAll(',', ', ')}`,
    ]);
  }
});

it('every service that is installed has an image, started without arguments; the agent is named where it is given', () => {
  const services = readdirSync(join(ROOT, 'manifests/install/services'));
  expect(['agent', ...services].sort()).toEqual([...NAMES].sort());
  for (const service of services) {
    const deployment = parse(text(`manifests/install/services/${service}/deployment.yaml`)) as {
      spec: { template: { spec: { containers: { image: string; command?: string[]; args?: string[] }[] } } };
    };
    const [container, ...others] = deployment.spec.template.spec.containers;
    expect(others).toEqual([]);
    expect(container).toMatchObject({ image: `fairway/${service}` });
    expect(container).not.toHaveProperty('command');
    expect(container).not.toHaveProperty('args');
  }
  const named = readdirSync(join(ROOT, 'manifests/install/overlays'), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(env|yaml)$/.test(path))
    .flatMap((path) => text(`manifests/install/overlays/${path}`).match(/registry\.example\.com\/fairway\/\w+/g) ?? []);
  expect(new Set(named)).toEqual(new Set(NAMES.map((name) => `registry.example.com/fairway/${name}`)));
});

type Step = { uses?: string; run?: string; script?: string; image?: string; env?: object };
type Workflow = { jobs: Record<string, { steps: Step[]; strategy?: { matrix: { image: string[] } } }> };
type Pipeline = {
  spec: {
    params: { name: string }[];
    tasks: [{ params: { name: string }[]; taskSpec: { params: { name: string }[]; steps: Step[] } }];
  };
};
const jobs = (parse(text('.github/workflows/release.yml')) as Workflow).jobs;
const pipeline = (parse(text('manifests/release/pipeline.yaml')) as Pipeline).spec;
const steps = [...Object.values(jobs).flatMap((job) => job.steps), ...pipeline.tasks[0].taskSpec.steps];
const scripts = steps.flatMap((step) => step.run ?? step.script ?? []);

it('both releases build every image, with options that there are', () => {
  expect(jobs['publish']?.strategy?.matrix.image).toEqual(NAMES);
  expect(scripts.find((script) => script.startsWith('#!') && script.includes(' in writer'))).toContain(NAMES.join(' '));
  const usage = text('tools/images/main.ts');
  const builds = scripts.filter((script) => script.includes(' images -- '));
  expect(builds).toHaveLength(2);
  for (const script of builds) {
    const said = script.slice(script.indexOf(' images -- ') + 11).match(/--[a-z]+/g) ?? [];
    for (const option of said) expect(usage).toMatch(new RegExp(`^ {2}${option.slice(2)}: \\{`, 'm'));
    expect(script).toMatch(/--base ["]?writer=/);
  }
});

it('the scripts of both releases can be read by a shell, and no expression is pasted into one', () => {
  expect(scripts.length).toBeGreaterThan(8);
  for (const script of scripts) {
    const { status, stderr } = spawnSync(script.startsWith('#!/bin/sh') ? 'sh' : 'bash', ['-n'], { input: script });
    expect(`${status} ${stderr.toString()}`).toBe('0 ');
    expect(script).not.toContain('${{');
    expect(script).not.toContain('$(params.');
  }
});

it('actions are named by a version, and images of steps are for the installer to pin', () => {
  const uses = steps.flatMap((step) => step.uses ?? []);
  expect(uses.length).toBeGreaterThan(4);
  for (const one of uses) expect(one).toMatch(/^[\w-]+\/[\w-]+@v\d+$/);
  for (const { image } of pipeline.tasks[0].taskSpec.steps) expect(image).toMatch(/^\$\(params\.[a-z]+-image\)$/);
  const names = (params: readonly { name: string }[]) => params.map(({ name }) => name);
  expect(names(pipeline.tasks[0].params)).toEqual(names(pipeline.params));
  expect(names(pipeline.tasks[0].taskSpec.params)).toEqual(names(pipeline.params));
});
