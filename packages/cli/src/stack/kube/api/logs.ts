import { closeSync, existsSync, openSync, readFileSync, readSync, statSync, unwatchFile, watchFile } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { POD } from '../kinds.ts';
import { logFile } from '../kubelet/layout.ts';
import { refusal } from '../refusal.ts';
import type { Registry } from '../store/registry.ts';
import { notFound } from '../store/validate.ts';
import type { Pod } from '../workloads.ts';
import type { Target } from './target.ts';

const FOLLOW_MS = 250;
const CHUNK_BYTES = 256 * 1024;

/** `GET …/pods/<name>/log?container=&tailLines=&follow=`: what a container has written, over all its restarts. */
export function serveLog(
  registry: Registry,
  dataDir: string,
  target: Target,
  query: URLSearchParams,
  response: ServerResponse,
): void {
  const { namespace = '', name = '' } = target;
  const pod = registry.get(POD, namespace, name) ?? notFound(POD, name);
  const file = logFile(dataDir, pod, containerOf(pod, query.get('container')));
  const whole = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  response.writeHead(200, { 'content-type': 'text/plain' });
  const tail = lastLines(whole, query.get('tailLines'));
  if (query.get('follow') !== 'true') {
    response.end(tail);
    return;
  }
  response.write(tail);
  follow(file, whole.length, response);
}

function containerOf({ metadata, spec }: Pod, wanted: string | null): string {
  const names = [...spec.containers, ...(spec.initContainers ?? [])].map(({ name }) => name);
  if (wanted === null && spec.containers.length === 1) return names[0] ?? '';
  if (wanted === null)
    throw refusal(
      'BadRequest',
      `a container name must be specified for pod ${metadata.name}, choose one of: [${names.join(' ')}]`,
    );
  if (!names.includes(wanted)) throw refusal('BadRequest', `container ${wanted} is not valid for pod ${metadata.name}`);
  return wanted;
}

function lastLines(content: Buffer, tailLines: string | null): Buffer | string {
  if (tailLines === null) return content;
  const lines = content.toString('utf8').split('\n');
  const ends = lines.at(-1) === '';
  const kept = (ends ? lines.slice(0, -1) : lines).slice(
    Number(tailLines) === 0 ? Number.POSITIVE_INFINITY : -Number(tailLines),
  );
  return kept.length === 0 ? '' : `${kept.join('\n')}${ends ? '\n' : ''}`;
}

/** Sends what is appended until the client leaves. */
function follow(file: string, from: number, response: ServerResponse): void {
  let at = from;
  const more = () => {
    if (!existsSync(file)) return;
    const descriptor = openSync(file, 'r');
    try {
      for (let size = statSync(file).size; at < size; ) {
        const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, size - at));
        at += readSync(descriptor, chunk, 0, chunk.length, at);
        response.write(chunk);
      }
    } finally {
      closeSync(descriptor);
    }
  };
  watchFile(file, { interval: FOLLOW_MS }, more);
  response.once('close', () => unwatchFile(file, more));
}
