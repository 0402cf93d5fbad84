import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Summary } from '../../packages/cli/src/demo/summary.ts';
import { ROOT } from '../guards/source.ts';
import { plainEnv } from '../harness/demo.ts';
import { atMost, type Result } from './result.ts';

/** The first issue's promises: installation and story, the tests, the check, and that nothing is lost. Takes about ten minutes. */
export async function loop(): Promise<Result[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'fairway-bench-'));
  const clone = join(scratch, 'fairway');
  try {
    await timed(`git clone --quiet "${ROOT}" "${clone}"`, scratch);
    const demo = await timed('npm ci && npm run demo -- --exit --summary summary.json', clone);
    const summary = JSON.parse(readFileSync(join(clone, 'summary.json'), 'utf8')) as Summary;
    await timed('npm run check', clone);
    const check = await timed('npm run check', clone);
    const test = await timed('npm ci && npm test', clone);
    return [
      atMost('install-and-demo', demo, 's', 240, 'npm ci && npm run demo -- --exit in a fresh clone'),
      atMost('story', round(summary.totalMs / 1000), 's', 120),
      atMost('install-and-test', test, 's', 480, 'npm ci && npm test'),
      atMost('check-warm', check, 's', 15, 'second npm run check'),
      atMost('sent-minus-stored', Math.abs(summary.sent - summary.stored), 'predictions', 0, `${summary.sent} sent`),
    ];
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const round = (seconds: number) => Math.round(seconds * 10) / 10;

/** Seconds that a shell command takes; its failure is the benchmark's. */
function timed(command: string, cwd: string): Promise<number> {
  const startedAt = Date.now();
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', command], { cwd, env: plainEnv(), stdio: ['ignore', 'ignore', 'inherit'] });
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve(round((Date.now() - startedAt) / 1000)) : reject(new Error(`${command} ended with ${code}`)),
    );
  });
}
