import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Command, Option } from 'commander';
import { FairwayError } from '@fairway/core';
import { callJson } from '../stack/http.ts';
import { readState, type StackState } from '../stack/folder.ts';
import { hasRedisServer } from '../stack/redis/server.ts';
import { DEFAULT_DIR } from './connection.ts';
import { checkCluster, type ClusterQuestion } from './doctor-cluster/check.ts';
import { checkSources, type SourceQuestion } from './doctor-sources.ts';
import { printable } from './printable.ts';
import { type Check, checkGit, checkLoopback, checkNode, checkPostgres } from './requirements.ts';

/** `fairway doctor`: is this machine fit, does the running stack do well, and can models travel? Each problem comes with its mend. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description(
      'check this machine and the running stack, a cluster, or model registries; each problem comes with its mend',
    )
    .addOption(
      new Option('--source <registry>', 'ask the writer about the models of this registry instead').choices([
        'sas',
        'mlflow',
        'directory',
      ]),
    )
    .option('--model <name>', 'ask the writer about the registry of this model instead')
    .option('--cluster', 'check a cluster instead: what Fairway needs there, and what is missing', false)
    .option('--context <name>', 'with --cluster: a context of the kubeconfig')
    .option('--namespace <name>', 'with --cluster: where Fairway is installed', 'fairway')
    .option('--argocd-namespace <name>', 'with --cluster: where Argo CD lives (openshift-gitops or argocd, as found)')
    .option('--json', 'print as JSON', false)
    .option('--dir <folder>', 'folder of the running stack', DEFAULT_DIR)
    .action(doctor);
}

type Options = SourceQuestion &
  ClusterQuestion & { readonly json: boolean; readonly dir: string; readonly cluster: boolean };

const MARK = { ok: '✔', warning: '!', missing: '✘' } as const;

async function doctorOfCluster(options: Options): Promise<void> {
  const findings = await checkCluster(options);
  if (options.json) console.log(JSON.stringify({ checks: findings }, undefined, 2));
  else for (const { name, state, text } of findings) console.log(printable(`${MARK[state]} ${name}: ${text}`));
  const bad = findings.filter(({ state }) => state === 'missing').length;
  if (bad === 0) return;
  throw new FairwayError(
    'machine.unfit',
    `${bad === 1 ? '1 thing is' : `${bad} things are`} missing; the lines above say the mend.`,
  );
}

async function doctor(options: Options): Promise<void> {
  if (options.cluster) return doctorOfCluster(options);
  const { source, model, dir, json } = options;
  const asksSources = source !== undefined || model !== undefined;
  const checks = asksSources ? await checkSources({ source, model }, dir) : await checkMachine(dir);
  if (json) console.log(JSON.stringify({ checks }, undefined, 2));
  else for (const { name, ok, text } of checks) console.log(`${ok ? '✔' : '✘'} ${name}: ${text}`);
  const bad = checks.filter(({ ok }) => !ok).length;
  if (bad === 0) return;
  const what = asksSources
    ? `${bad === 1 ? '1 thing is' : `${bad} things are`} missing`
    : `${bad} of ${checks.length} checks failed`;
  throw new FairwayError(asksSources ? 'model.invalid' : 'machine.unfit', `${what}; the lines above say the mend.`);
}

async function checkMachine(dir: string): Promise<Check[]> {
  const machine = [checkNode(), checkGit(), checkPostgres(), checkQueue(), await checkLoopback(), checkSpace()];
  const state = readState(dir);
  return [...machine, ...(state === undefined ? [noStack(dir)] : await checkServices(state))];
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
