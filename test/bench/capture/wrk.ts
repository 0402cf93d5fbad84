import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export type Load = { readonly connections: number; readonly seconds: number; readonly script: string };
/** `perSecond`: answers a second; `p50Ms`: half of them came sooner; `requests`: all of the run; `bad`: not 2xx, or no answer. */
export type Loaded = {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly requests: number;
  readonly bad: number;
};

/** One run of wrk against a port, on one core. */
export async function wrk(port: number, core: number, { connections, seconds, script }: Load): Promise<Loaded> {
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '-s', script];
  const { stdout } = await run('taskset', [
    '-c',
    String(core),
    'wrk',
    ...args,
    `http://127.0.0.1:${port}/v1/models/bench:predict`,
  ]);
  const number = (pattern: RegExp): number => Number(pattern.exec(stdout)?.[1] ?? 0);
  return {
    perSecond: number(/Requests\/sec:\s+([\d.]+)/),
    p50Ms: inMs(/50%\s+([\d.]+)(us|ms|s)/.exec(stdout)),
    requests: number(/(\d+) requests in/),
    bad: number(/Non-2xx or 3xx responses: (\d+)/) + number(/read (\d+)/) + number(/timeout (\d+)/),
  };
}

const UNITS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000 };
const inMs = (found: RegExpExecArray | null): number => Number(found?.[1] ?? 0) * (UNITS[found?.[2] ?? ''] ?? 1);

/** What wrk is told to send: one body, again and again. */
export const wrkScript = (body: string): string =>
  `wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = [==[${body}]==]\n`;
