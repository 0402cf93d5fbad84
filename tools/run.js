import { spawn } from 'node:child_process';

/** Runs a program of node_modules/.bin (or node); answers its exit code, output and time. */
export function run(name, command, args, { live = false } = {}) {
  const startedAt = Date.now();
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: live ? 'inherit' : 'pipe',
      env: { ...process.env, FORCE_COLOR: live ? undefined : '0' },
    });
    let output = '';
    child.stdout?.on('data', (chunk) => (output += chunk));
    child.stderr?.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => resolve({ name, code: 1, output: error.message, ms: Date.now() - startedAt }));
    child.on('close', (code) => resolve({ name, code: code ?? 1, output, ms: Date.now() - startedAt }));
  });
}

export const bin = (name) => `node_modules/.bin/${name}`;

/** Vitest arguments of one project; its counts go to `.cache/<name>.json`, errors outside tests to `.cache/<name>.unhandled.json`. */
export const vitest = (project, name = project) => [
  'run',
  `--project=${project}`,
  '--reporter=default',
  '--reporter=./tools/skips.js',
  '--reporter=json',
  `--outputFile.json=.cache/${name}.json`,
];
