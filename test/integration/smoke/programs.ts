import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256 } from '@fairway/core';
import { runnable } from '../../../packages/cli/src/stack/runnable.ts';

const program = (path: string) => fileURLToPath(new URL(`../../../packages/${path}`, import.meta.url));
async function start(
  path: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<ChildProcess> {
  return spawn(process.execPath, [...(await runnable(program(path))), ...args], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
}

/** Everything that a process prints, while it runs. */
function output({ stdout, stderr }: ChildProcess): () => string {
  let text = '';
  for (const stream of [stdout, stderr]) stream?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return () => text;
}

/** The embedded TensorFlow Serving on a free port of this machine. */
export async function startServing(basePath: string, model: string) {
  const child = await start('cli/src/stack/serving/main.ts', [], {
    MODEL_NAME: model,
    MODEL_BASE_PATH: basePath,
    REST_PORT: '0',
  });
  const said = output(child);
  while (!/"port":\d+/.test(said())) {
    if (child.exitCode !== null) throw new Error(`The server ended without a word: ${said()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const port = /"port":(\d+)/.exec(said())?.[1];
  const stop = async () => {
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  return { url: `http://127.0.0.1:${port}`, stop };
}

export type Ran = { readonly code: number | null; readonly output: string; readonly lastWord: string };

/** Runs `fairway-agent smoke` as the Job does; answers how it ended. */
export async function runSmokeTest(golden: string, env: Readonly<Record<string, string>>): Promise<Ran> {
  const dir = mkdtempSync(join(tmpdir(), 'fairway smoke '));
  const [cases, log] = [join(dir, 'golden.jsonl'), join(dir, 'termination-log')];
  writeFileSync(cases, golden);
  writeFileSync(log, '');
  const settings = { GOLDEN_CASES: cases, GOLDEN_SHA256: sha256(golden), TERMINATION_LOG: log, ...env };
  const child = await start('log-sidecar/src/main.ts', ['smoke'], settings);
  const said = output(child);
  const [code] = (await once(child, 'close')) as [number | null];
  const lastWord = readFileSync(log, 'utf8');
  rmSync(dir, { recursive: true });
  return { code, output: said(), lastWord };
}
