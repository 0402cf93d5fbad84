import { existsSync, readFileSync } from 'node:fs';

/** ms that the first thread of a process has been on a CPU: what it costs, whatever else the machine does. 0 where nobody counts. */
export function threadCpu(pid: number): number {
  const file = `/proc/${pid}/schedstat`;
  return existsSync(file) ? Number(readFileSync(file, 'utf8').split(' ')[0]) / 1e6 : 0;
}
