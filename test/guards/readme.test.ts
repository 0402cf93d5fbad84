import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './source.ts';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
/** The README's two commands, as written. */
const commands = [...read('README.md').matchAll(/```sh\n(npm ci && .*)\n```/g)].map(([, command]) => command);

test("CI calls the README's test command as it is written", () => {
  expect(commands).toEqual(['npm ci && npm run demo', 'npm ci && npm test']);
  expect(read('.ci/run')).toContain(`\n${commands[1]}\n`);
});

test('every npx command of the README is a command of the CLI', () => {
  const registry = read('packages/cli/src/commands/registry.ts');
  const used = [...read('README.md').matchAll(/^npx fairway ([a-z]+)/gm)].map(([, name]) => name);
  expect(used.length).toBeGreaterThan(3);
  for (const name of used) expect(registry).toContain(`${name}Command`);
});

test('the map and the lock file keep their rules', () => {
  expect(read('ARCHITECTURE.md').split('\n').length).toBeLessThanOrEqual(151);
  expect(read('package-lock.json')).not.toMatch(/"resolved": "https?:/);
});
