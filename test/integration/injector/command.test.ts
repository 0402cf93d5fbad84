import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const CLI = fileURLToPath(new URL('../../../packages/cli/bin/fairway.js', import.meta.url));
const golden = (name: string) =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`../../golden/injector/${name}`, import.meta.url)), 'utf8')) as {
    pod: object;
  };

async function fairway(args: readonly string[], input = ''): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [CLI, 'inject', ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => (stdout += text));
  child.stderr.on('data', (text) => (stderr += text));
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number];
  return { code, stdout, stderr };
}

it('prints what the webhook would make of a pod, as YAML by default and as JSON when asked', async () => {
  const pod = JSON.stringify(golden('port-by-argument.in.json').pod);
  const image = `registry.example.com/fairway/agent@sha256:${'c'.repeat(64)}`;
  const json = await fairway(['-f', '-', '-o', 'json', '--agent-image', image], pod);
  expect([json.code, json.stderr]).toEqual([0, '']);
  expect(JSON.parse(json.stdout)).toEqual(golden('port-by-argument.out.json').pod);
  const old = await fairway(['-f', '-', '--server-version', '1.28'], `${pod}\n---\n${pod}`);
  expect(old.stdout.split('\n---\n')).toHaveLength(2);
  expect(old.stdout).not.toContain('initContainers');
  expect((await fairway(['-f', '-'], old.stdout)).stderr.trim().split('\n')).toEqual([
    'Pod home-equity-5d8f: Left alone: it has its agent.',
    'Pod home-equity-5d8f: Left alone: it has its agent.',
  ]);
});

it('reads YAML as kubectl does', async () => {
  const yaml = `kind: Pod
metadata: { name: a, labels: { fairway.dev/inject: "true" }, annotations: { fairway.dev/environment: prod, when: 2026-01-01 } }
spec:
  containers: [{ name: tf, image: tensorflow/serving, env: [{ name: MODEL_NAME, value: m }, { name: A, value: "on" }, { name: B, value: "0644" }] }]
  volumes: [{ name: c, configMap: { name: c, defaultMode: 0644 } }]
`;
  const { stdout } = await fairway(['-f', '-'], yaml);
  expect(stdout).toContain('value: "on"\n');
  expect(stdout).toContain('value: "0644"\n');
  expect(stdout).toContain('defaultMode: 420\n');
  expect(stdout).toContain('when: 2026-01-01\n');
});

it('tells wrong input in one sentence, and wrong usage by its exit code', async () => {
  const told = async (args: string[], input = '') => {
    const { code, stdout, stderr } = await fairway(args, input);
    return [code, stdout, stderr];
  };
  expect(await told(['-f', 'no-such-file.yaml'])).toEqual([
    1,
    '',
    'fairway: no-such-file.yaml cannot be used: there is no such file.\n',
  ]);
  expect(await told(['-f', '-'])).toEqual([1, '', 'fairway: Standard input cannot be used: it is empty.\n']);
  expect((await told(['-f', '-'], 'a: [1'))[2]).toMatch(
    /^fairway: Standard input cannot be used: it is no YAML \(.*\)\.\n$/,
  );
  expect((await told(['-f', '-'], 'kind: Pod\nspec: {}\n'))[2]).toBe(
    'fairway: Pod without a name cannot be injected into: spec.containers must be a list.\n',
  );
  expect((await told([]))[0]).toBe(2);
  expect((await told(['-f', '-', '--server-version', '2']))[0]).toBe(2);
});
