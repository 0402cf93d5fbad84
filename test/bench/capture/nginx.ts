import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tieToUs } from '../../../packages/cli/src/stack/tied.ts';

/** A server process of the benchmark, bound to one core. */
export type Pinned = { readonly pid: number; stop(): Promise<void> };

export const found = (program: string): boolean => spawnSync('which', [program]).status === 0;

/**
 * nginx as the model: it answers every prediction with `answer`, as fast as it can. A large body is read to its end first, as a
 * model server does; nginx itself would answer before, and callers would see their connection end.
 */
export const startUpstream = (dir: string, port: number, core: number, answer: string): Promise<Pinned> =>
  startNginx(
    dir,
    core,
    `server { listen unix:${join(dir, 'answer')}; location / { default_type application/json; return 200 '${answer}'; } }
    server { listen 127.0.0.1:${port} backlog=1024; client_max_body_size 16m; client_body_buffer_size 1m;
      location = /v1/models/bench { default_type application/json; return 200 '${STATUS}'; }
      location = /read { internal; proxy_pass http://unix:${join(dir, 'answer')}; proxy_set_body ""; }
      location / { default_type application/json; if ($content_length ~ "^[0-9]{5,}$") { rewrite ^ /read last; } return 200 '${answer}'; } }`,
  );

const STATUS =
  '{"model_version_status":[{"version":"1","state":"AVAILABLE","status":{"error_code":"OK","error_message":""}}]}';

/** nginx as what a proxy costs at least: proxy_pass with kept connections, nothing buffered that need not be. */
export const startProxyPass = (dir: string, port: number, upstream: number, core: number): Promise<Pinned> =>
  startNginx(
    dir,
    core,
    `upstream model { server 127.0.0.1:${upstream}; keepalive 128; }
    server { listen 127.0.0.1:${port} backlog=1024; client_max_body_size 16m; client_body_buffer_size 1m;
      location / { proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection "";
        proxy_request_buffering off; proxy_buffering off; } }`,
  );

async function startNginx(dir: string, core: number, server: string): Promise<Pinned> {
  mkdirSync(dir, { recursive: true });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${join(dir, kind)};`,
  );
  // The user matters only to root, whose workers would else not reach a private folder.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const config = `${user} daemon off; worker_processes 1; pid ${join(dir, 'pid')}; error_log stderr error;
  events { worker_connections 1024; }
  http { access_log off; keepalive_requests 1000000000; keepalive_timeout 75s; tcp_nodelay on; ${temporary.join(' ')} ${server} }`;
  const file = join(dir, 'nginx.conf');
  writeFileSync(file, config);
  const child = spawn('taskset', ['-c', String(core), 'nginx', '-p', dir, '-e', 'stderr', '-c', file], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  tieToUs(child, 'SIGTERM');
  const worker = await workerOf(child);
  return { pid: worker, stop: () => stopped(child) };
}

/** The worker does the work; the master only watches it. */
async function workerOf({ pid = 0 }: ChildProcess): Promise<number> {
  for (let i = 0; i < 100; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    if (children !== '') return Number(children.split(' ')[0]);
  }
  throw new Error('nginx started no worker');
}

export async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

let ticks: number | undefined;
/** User and system time of a process so far, all of its threads together, ms. */
export const cpuMs = (pid: number): number => timeOf(`/proc/${pid}/stat`);

/** The same of its first thread alone. */
export const firstThreadMs = (pid: number): number => timeOf(`/proc/${pid}/task/${pid}/stat`);

/** proc(5), stat, fields 14 and 15. */
function timeOf(stat: string): number {
  ticks ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  const fields = readFileSync(stat, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / ticks;
}
