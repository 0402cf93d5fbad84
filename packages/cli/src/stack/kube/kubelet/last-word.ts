import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Container, Pod } from '../workloads.ts';
import type { Mount } from './command.ts';
import { podDir } from './layout.ts';

/** As Kubernetes: so many bytes from the end of the file. */
const MOST_BYTES = 4_096;

const fileOf = (dataDir: string, pod: Pod, { name }: Container): string =>
  join(podDir(dataDir, pod), 'termination', name);

/** An empty file at the container's `terminationMessagePath`, fresh for each start. */
export function mountLastWord(dataDir: string, pod: Pod, spec: Container): Mount {
  const host = fileOf(dataDir, pod, spec);
  mkdirSync(join(host, '..'), { recursive: true });
  writeFileSync(host, '', { mode: 0o600 });
  return { path: spec.terminationMessagePath ?? '/dev/termination-log', host };
}

/** What a container that has ended wrote there; undefined when it wrote nothing. */
export function lastWord(dataDir: string, pod: Pod, spec: Container): string | undefined {
  try {
    const said = readFileSync(fileOf(dataDir, pod, spec))
      .subarray(-MOST_BYTES)
      .toString('utf8');
    return said === '' ? undefined : said;
  } catch {
    return undefined;
  }
}
