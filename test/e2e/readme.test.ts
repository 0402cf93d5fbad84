import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Summary } from '../../packages/cli/src/demo/summary.ts';
import { ROOT } from '../guards/source.ts';
import { plainEnv } from '../harness/demo.ts';
import { expectStory } from './facts.ts';

test("the README's first command in a fresh clone, under a path with spaces, while a second demo runs beside it", async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'new user '));
  let first: ReturnType<typeof shell> | undefined;
  try {
    const clone = join(scratch, 'fair way');
    await shell(`git clone --quiet "${ROOT}" "${clone}"`, scratch).ended;
    const [, command = ''] =
      /```sh\n(npm ci && npm run demo)\n```/.exec(readFileSync(join(clone, 'README.md'), 'utf8')) ?? [];
    first = shell(command, clone);
    await first.text(/stack started/);
    const startedAt = Date.now();
    const second = shell('npx fairway demo --exit --summary second.json', clone);
    await first.text(/Ctrl-C ends the demo/);
    const dashboard = /dashboard +(http:\S+)/.exec(first.output())?.[1] ?? '';
    expect(await (await fetch(dashboard)).text()).toContain('home-equity');
    const code = await second.ended;
    expect(code, second.output()).toBe(0);
    const summary = JSON.parse(readFileSync(join(clone, 'second.json'), 'utf8')) as Summary;
    expectStory({ code, output: second.output(), summary, ms: Date.now() - startedAt }, { v1Windows: 4, gain: 0.05 });
    expect(summary.windows.map(({ verdict }) => verdict)).toEqual([
      'healthy',
      'healthy',
      'warning',
      'alert',
      'healthy',
    ]);
    for (const { predictions } of summary.windows) expect(predictions).toBeGreaterThanOrEqual(2000);
    first.interrupt();
    await first.ended;
    first = undefined;
    await expect(fetch(dashboard)).rejects.toThrow();
  } finally {
    // A test that failed half-way must not leave its stack behind.
    first?.interrupt();
    await first?.ended;
    rmSync(scratch, { recursive: true, force: true });
  }
});

/** A shell command in a process group of its own, as a terminal gives it one. */
function shell(command: string, cwd: string) {
  const child = spawn('sh', ['-c', command], { cwd, env: plainEnv(), detached: true });
  let output = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      for (const listener of listeners) listener();
    });
  }
  const ended = new Promise<number | null>((resolve) => {
    child.on('close', (code) => {
      resolve(code);
      for (const listener of listeners) listener();
    });
  });
  const text = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const check = () => {
        if (pattern.test(output)) resolve();
        else if (child.exitCode !== null) reject(new Error(`${command} ended without ${pattern}:\n${output}`));
      };
      listeners.add(check);
      check();
    });
  const interrupt = () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid as number), 'SIGINT');
  };
  return { ended, text, output: () => output, interrupt };
}
