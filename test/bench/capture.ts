import { execFileSync } from 'node:child_process';
import { ROOT } from '../guards/source.ts';
import { labelNumbers } from './capture/labels.ts';
import { memoryNumbers } from './capture/memory.ts';
import { proxyNumbers } from './capture/proxy.ts';
import { recorderNumbers } from './capture/recorder.ts';
import type { Result } from './result.ts';

/** What the way of a prediction costs, from the caller's connection to the table. */
export async function capture(): Promise<Result[]> {
  execFileSync('npx', ['tsc', '-b', 'packages/log-sidecar', 'packages/monitor'], { cwd: ROOT, stdio: 'inherit' });
  return [
    ...(await proxyNumbers()),
    ...(await recorderNumbers()),
    ...(await labelNumbers()),
    ...(await memoryNumbers()),
  ];
}
