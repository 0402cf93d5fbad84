/** The embedded cluster: Kubernetes API, Argo CD's sync, and a kubelet that runs pods as local processes. */
import { accessSync, constants, mkdirSync, readFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { choice, FairwayError, flag, integer, lifecycle, optionalText, readEnv, runService, text } from '@fairway/core';
import { kubectlPath } from '../kubectl.ts';
import { jsonLogger, LOG_LEVELS } from '../web/log.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { checkPrograms } from './kubelet/programs.ts';

const env = readEnv(process.env, {
  HOST: text('address to listen on', '0.0.0.0'),
  PORT: integer('port to listen on; 0 takes a free one', { min: 0, max: 65_535 }),
  DATA_DIR: text('folder for everything the cluster keeps'),
  KUBE_TOKEN: text('bearer token of the API'),
  IMAGE_LAYOUT: text('OCI image layout folder that pods pull from'),
  PROGRAMS_FILE: text('JSON file: entrypoint base name → {argv, env, confineArgs}'),
  GIT_POLL_MS: integer('how often repositories are asked for new commits', {
    min: 100,
    max: 3_600_000,
    fallback: 1000,
  }),
  ARGOCD_NAMESPACE: text('namespace of Applications and ApplicationSets', 'openshift-gitops'),
  API_GROUPS_LACKING: optionalText('API groups that it does not serve, as a cluster without Argo CD, by commas'),
  KUBECONFIG_OUT: optionalText('where to write a kubeconfig for this API'),
  CACHE_DIR: optionalText('folder for kubectl, shared by all stacks of this user'),
  LOG_LEVEL: choice('lowest level that is logged', LOG_LEVELS, 'info'),
  FAIRWAY_DEBUG: flag('print stack traces', false),
});
const log = jsonLogger((line) => void process.stdout.write(line), env.LOG_LEVEL);

/** The user's cache when it can be written, else the data folder. */
function cacheDir(): string {
  const shared = env.CACHE_DIR ?? join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'fairway');
  try {
    mkdirSync(shared, { recursive: true });
    accessSync(shared, constants.W_OK);
    return shared;
  } catch {
    return join(env.DATA_DIR, 'cache');
  }
}

function readPrograms(): unknown {
  try {
    return JSON.parse(readFileSync(env.PROGRAMS_FILE, 'utf8'));
  } catch (error) {
    throw new FairwayError('config.invalid', `PROGRAMS_FILE cannot be read as JSON: ${(error as Error).message}`);
  }
}

let cluster: Cluster | undefined;
const part = {
  name: 'cluster',
  start: async () => {
    const config = {
      host: env.HOST,
      port: env.PORT,
      dataDir: env.DATA_DIR,
      token: env.KUBE_TOKEN,
      imageLayout: env.IMAGE_LAYOUT,
      programs: checkPrograms(readPrograms()),
      kubectl: kubectlPath(cacheDir()),
      gitPollMs: env.GIT_POLL_MS,
      kubeconfigOut: env.KUBECONFIG_OUT,
      argocdNamespace: env.ARGOCD_NAMESPACE,
      lacks: (env.API_GROUPS_LACKING ?? '').split(',').filter((group) => group !== ''),
      path: process.env['PATH'] ?? '',
      tmpdir: tmpdir(),
    };
    cluster = await startCluster(config, log);
    process.send?.({ ready: true, port: cluster.port });
  },
  stop: () => cluster?.stop(),
};
/** A little less than the 10 s after which the supervisor kills us. */
const STOP_TIMEOUT_MS = 9_500;
await runService(lifecycle([part], log, STOP_TIMEOUT_MS), log, process, env.FAIRWAY_DEBUG);
