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
    const { totalMs, sent, stored } = JSON.parse(readFileSync(join(clone, 'summary.json'), 'utf8')) as Summary;
    await timed('npm run check', clone);
    const check = await timed('npm run check', clone);
    const test = await timed('npm ci && npm test', clone);
    const counts = test.output.trim().split('\n').at(-1) ?? '';
    return [
      within('install-and-demo', demo, 240, 'npm ci && npm run demo -- --exit in a fresh clone'),
      atMost('story', round(totalMs / 1000), 's', 120),
      within('install-and-test', test, 480, `npm ci && npm test: ${counts}`),
      within('check-warm', check, 15, 'second npm run check'),
      atMost('sent-minus-stored', Math.abs(sent - stored), 'predictions', 0, `${sent} sent`),
    ];
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const round = (seconds: number) => Math.round(seconds * 10) / 10;

type Timed = { readonly seconds: number; readonly code: number | null; readonly output: string };

/** Runs a shell command; its failure is told in the result, not thrown. */
function timed(command: string, cwd: string): Promise<Timed> {
  const startedAt = Date.now();
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', `${command} 2>&1`], {
      cwd,
      env: plainEnv(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code !== 0) console.log(`${command} ended with ${code}:\n${output.slice(-4000)}`);
      resolve({ seconds: round((Date.now() - startedAt) / 1000), code, output });
    });
  });
}

/** A duration that counts only if its command succeeded. */
function within(id: string, run: Timed, bar: number, note: string): Result {
  const result = atMost(id, run.seconds, 's', bar, note);
  return run.code === 0 ? result : { ...result, ok: false, note: `${note}: ended with ${run.code}` };
}
