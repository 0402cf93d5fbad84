import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Command } from 'commander';
import { FairwayError } from '@fairway/core';
import { callJson } from '../stack/http.ts';
import { readState, type StackState } from '../stack/folder.ts';
import { hasRedisServer } from '../stack/redis/server.ts';
import { DEFAULT_DIR } from './connection.ts';
import { type Check, checkGit, checkLoopback, checkNode, checkPostgres } from './requirements.ts';

/** `fairway doctor`: is this machine fit, and does the running stack do well? Each problem comes with its mend. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('check this machine and the running stack; each problem comes with its mend')
    .option('--json', 'print as JSON', false)
    .option('--dir <folder>', 'folder of the running stack', DEFAULT_DIR)
    .action(doctor);
}

async function doctor(options: { json: boolean; dir: string }): Promise<void> {
  const machine = [checkNode(), checkGit(), checkPostgres(), checkQueue(), await checkLoopback(), checkSpace()];
  const state = readState(options.dir);
  const checks = [...machine, ...(state === undefined ? [noStack(options.dir)] : await checkServices(state))];
  if (options.json) console.log(JSON.stringify({ checks }, undefined, 2));
  else for (const { name, ok, text } of checks) console.log(`${ok ? '✔' : '✘'} ${name}: ${text}`);
  const bad = checks.filter(({ ok }) => !ok).length;
  if (bad > 0)
    throw new FairwayError('machine.unfit', `${bad} of ${checks.length} checks failed; the lines above say the mend.`);
}

const noStack = (dir: string): Check => ({
  name: 'stack',
  ok: true,
  text: `none runs in ${dir} (start one with "npx fairway up")`,
});

function checkQueue(): Check {
  const text = process.env.REDIS_URL
    ? 'REDIS_URL is set'
    : hasRedisServer()
      ? 'redis-server found'
      : 'no Redis: the queue will live in PostgreSQL';
  return { name: 'queue', ok: true, text };
}

function checkSpace(): Check {
  const { bavail, bsize } = statfsSync(tmpdir());
  const free = Math.floor((bavail * bsize) / 1024 / 1024);
  const ok = free >= 300;
  return {
    name: 'disk',
    ok,
    text: ok ? `${free} MB free` : `only ${free} MB are free in ${tmpdir()}: a stack needs 300 MB.`,
  };
}

const WITH_READYZ = ['forge', 'kube', 'cards', 'writer', 'recorder', 'monitor'];

async function checkServices({ processes }: StackState): Promise<Check[]> {
  return Promise.all(
    WITH_READYZ.map(async (name): Promise<Check> => {
      const url = processes[name]?.url;
      if (!url) return { name, ok: false, text: 'does not run: see its log in the stack folder below logs/.' };
      try {
        const { status, body } = await callJson<{ message?: string }>(name, `${url}/readyz`);
        return {
          name,
          ok: status === 200,
          text: status === 200 ? `ready at ${url}` : (body?.message ?? `answers ${status}`).trim(),
        };
      } catch (error) {
        return { name, ok: false, text: (error as Error).message };
      }
    }),
  );
}
