import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parse } from 'yaml';
import { IMAGES } from '../../../tools/images/catalog.ts';
import { ROOT } from '../../guards/source.ts';

type Step = { name?: string; run?: string; script?: string };
type Pipeline = { spec: { tasks: [{ taskSpec: { steps: Step[] } }] } };
type Workflow = { jobs: Record<string, { steps: Step[] }> };

const read = (path: string): unknown => parse(readFileSync(join(ROOT, path), 'utf8'));
const tekton = (read('manifests/release/pipeline.yaml') as Pipeline).spec.tasks[0].taskSpec.steps;
const github = Object.values((read('.github/workflows/release.yml') as Workflow).jobs).flatMap(({ steps }) => steps);
const NAMES = IMAGES.map(({ name }) => name);
const digestOf = (index: number) => `sha256:${String(index + 1).repeat(64)}`;

let dir: string;
const at = (...names: string[]) => join(dir, ...names);

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'fairway-release-'));
  mkdirSync(at('bin'));
  // As skopeo and cosign do: the progress of a copy goes to standard output (skopeo 1.9.3).
  for (const name of ['skopeo', 'cosign'])
    writeFileSync(
      at('bin', name),
      `#!/bin/sh\necho "${name} $*" >> "${at('calls')}"\necho "Getting image source signatures"\n`,
      { mode: 0o755 },
    );
  const lines = NAMES.map((name, index) => `fairway/${name}:1.2.3 ${digestOf(index)} 123456 linux/amd64,linux/arm64\n`);
  for (const folder of ['', 'out']) {
    mkdirSync(at(folder), { recursive: true });
    writeFileSync(at(folder, 'images.txt'), lines.join(''));
  }
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Runs a script as its runner would, in a folder of its own, where `skopeo` and `cosign` are ours; answers their calls. */
function run(script: string, env: Record<string, string>): string[] {
  rmSync(at('calls'), { force: true });
  const [command, options] = script.startsWith('#!') ? ['sh', []] : ['bash', ['-eo', 'pipefail']];
  const PATH = `${at('bin')}:${process.env['PATH']}`;
  const { status, stderr } = spawnSync(command, [...options, '-c', script], {
    cwd: dir,
    env: { PATH, HOME: dir, ...env },
  });
  expect(`${status} ${stderr.toString()}`).toMatch(/^0 /);
  return existsSync(at('calls')) ? readFileSync(at('calls'), 'utf8').trim().split('\n') : [];
}

const stepOf = (steps: readonly Step[], name: string): string => {
  const found = steps.find((step) => step.name === name);
  return found?.script ?? found?.run ?? `exit 1 # no step ${name}`;
};

it('the pipeline pushes each image, tells its digest alone as the result, and signs exactly that', () => {
  const env = { REPOSITORY: 'registry.example.com/fairway' };
  const results = (script: string) => script.replaceAll('$(results.IMAGES.path)', at('results'));
  const pushed = run(results(stepOf(tekton, 'push')), env);
  expect(pushed).toEqual(
    NAMES.map(
      (name) =>
        `skopeo copy --all --preserve-digests oci:images:fairway/${name}:1.2.3 docker://registry.example.com/fairway/${name}:1.2.3`,
    ),
  );
  const references = NAMES.map((name, index) => `registry.example.com/fairway/${name}@${digestOf(index)}`);
  expect(readFileSync(at('results'), 'utf8')).toBe(references.map((one) => `${one}\n`).join(''));
  const signed = run(results(stepOf(tekton, 'sign')), env);
  expect(signed).toEqual(
    NAMES.flatMap((name, index) => [
      `cosign sign --yes --recursive ${references[index]}`,
      `cosign attest --yes --type cyclonedx --predicate statements/${name}.cdx.json ${references[index]}`,
      `cosign attest --yes --type slsaprovenance1 --predicate statements/${name}.predicate.json ${references[index]}`,
    ]),
  );
});

it.each(NAMES.map((name, index) => [name, digestOf(index)]))(
  'the workflow pushes %s under its tag, and signs the digest that was built',
  (name, digest) => {
    const calls = run(stepOf(github, 'Push'), {
      IMAGE: name,
      USER: 'octocat',
      TOKEN: 'token',
      REGISTRY: 'ghcr.io',
      GITHUB_REPOSITORY: 'Bank/Fairway',
      GITHUB_REF_NAME: 'v1.2.3',
      GITHUB_OUTPUT: at('output'),
    });
    expect(calls.at(-1)).toBe(
      `skopeo copy --all --preserve-digests oci:out/images:fairway/${name}:1.2.3 docker://ghcr.io/bank/fairway/${name}:1.2.3`,
    );
    expect(readFileSync(at('output'), 'utf8')).toBe(`name=ghcr.io/bank/fairway/${name}\ndigest=${digest}\n`);
  },
);
