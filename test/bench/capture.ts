import { execFileSync } from 'node:child_process';
import { ROOT } from '../guards/source.ts';
import { labelNumbers } from './capture/labels.ts';
import { memoryNumbers } from './capture/memory.ts';
import { proxyNumbers } from './capture/proxy.ts';
import { residentNumbers } from './capture/resident.ts';
import { recorderNumbers } from './capture/recorder.ts';
import type { Result } from './result.ts';

/** With what would be installed: the compiled agent and recorder. */
const compiled = (part: () => Promise<Result[]>) => async (): Promise<Result[]> => {
  execFileSync('npx', ['tsc', '-b', 'packages/log-sidecar', 'packages/monitor'], { cwd: ROOT, stdio: 'inherit' });
  return part();
};

/** What the way of a prediction costs, from the caller's connection to the table. */
export const CAPTURE = {
  'capture-proxy': compiled(proxyNumbers),
  'capture-recorder': compiled(recorderNumbers),
  'capture-labels': compiled(labelNumbers),
  'capture-memory': compiled(memoryNumbers),
  'capture-resident': residentNumbers,
};
