import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from './source.ts';

type Step = { readonly run?: string; readonly uses?: string };
type Workflow = {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[] }>>;
};

const FOLDER = join(ROOT, '.github/workflows');
const read = (file: string) => parse(readFileSync(join(FOLDER, file), 'utf8')) as Workflow;
const stepsOf = (workflow: Workflow): readonly Step[] => Object.values(workflow.jobs).flatMap(({ steps }) => steps);

it('every pull request runs all tests and the check of the manifests, with no rights but to read', () => {
  const workflow = read('check.yml');
  expect(Object.keys(workflow.on)).toContain('pull_request');
  expect(workflow.permissions).toEqual({ contents: 'read' });
  const commands = stepsOf(workflow).map(({ run }) => run);
  expect(commands).toEqual(expect.arrayContaining(['npm ci', 'npm test', 'npm run manifests:check']));
});

it('workflows name scripts that there are, and actions by a version', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
  for (const step of readdirSync(FOLDER).flatMap((file) => stepsOf(read(file)))) {
    for (const [, name = ''] of step.run?.matchAll(/npm run (?:--silent )?([\w:-]+)/g) ?? [])
      expect(Object.keys(scripts)).toContain(name);
    if (step.uses !== undefined) expect(step.uses).toMatch(/^[\w-]+\/[\w-]+@v\d+$/);
  }
});
