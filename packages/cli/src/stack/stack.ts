import { mkdirSync, readFileSync } from 'node:fs';
import { processStart } from '@fairway/core';
import { expectJson } from './http.ts';
import { type Backing, type Configured, databaseProcess, forget, prepareBacking, queueProcess } from './backing.ts';
import { seedCluster } from './cluster-seed.ts';
import { type Claim, emptyFolder, removeFolder, type StackState, writeState } from './folder.ts';
import { seedImages } from './images/seed.ts';
import { recordPids } from './leftovers.ts';
import { place, SHIPPED } from './layout.ts';
import { databaseName } from './postgres/server.ts';
import { groundProcesses, PERSON, serviceProcesses, type Wiring } from './processes.ts';
import { seedRepository, seedWebhooks } from './repository-seed.ts';
import { findPorts, loadSecrets } from './secrets.ts';
import { type Supervisor, supervisor } from './supervisor.ts';

export const MODEL = 'home-equity';
const ENVIRONMENTS = ['dev', 'prod'] as const;
const TRAINER_TOKEN =
  'registry.fairway.local/home-equity-trainer@sha256:0000000000000000000000000000000000000000000000000000000000000000';

/** A running embedded stack. */
export type Stack = {
  readonly dir: string;
  readonly urls: Readonly<Record<'forge' | 'kube' | 'writer' | 'recorder' | 'monitor' | 'cards', string>>;
  readonly tokens: StackState['tokens'];
  /** `owner/name` of the GitOps repository on the forge. */
  readonly repository: string;
  readonly registryDir: string;
  /** Every process with URL and pid, scoring pods included; also written to the folder's state file. */
  processes(): Promise<StackState['processes']>;
  stop(): Promise<void>;
  /** Stops, and removes the folder and everything made on configured servers. */
  destroy(): Promise<void>;
};

export type StackOptions = {
  readonly claim: Claim;
  readonly configured: Configured;
  /** Port of the dashboard; found when not given. */
  readonly port?: number;
  /** Start from nothing even if the folder holds an earlier stack. */
  readonly fresh: boolean;
};

/** Starts everything and prepares repository and cluster; on failure everything already started is stopped. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { claim, configured } = options;
  const { dir } = claim;
  if (options.fresh) {
    emptyFolder(claim);
    await forget(configured, databaseName(dir)).catch(() => {});
  }
  const at = place(dir);
  for (const folder of [at.logs, at.registry, at.snapshots]) mkdirSync(folder, { recursive: true });
  const wiring: Wiring = { dir, ports: await findPorts(dir, options.port), secrets: loadSecrets(dir) };
  let stack: Stack | undefined;
  const processes = supervisor(at.logs, () => {
    recordPids(
      dir,
      processes.list().flatMap(({ pid }) => pid ?? []),
    );
    void stack?.processes().catch(() => {});
  });
  try {
    const { backing, repository } = await startAll(wiring, processes, configured);
    stack = describe(options, wiring, processes, backing, repository);
    await stack.processes();
    return stack;
  } catch (error) {
    await processes.stop();
    throw error;
  }
}

async function startAll(
  wiring: Wiring,
  processes: Supervisor,
  configured: Configured,
): Promise<{ backing: Backing; repository: string }> {
  const { dir, ports, secrets } = wiring;
  const images = await seedImages(place(dir).images);
  const queue = queueProcess(dir, ports, secrets, configured);
  const ground = await groundProcesses(wiring);
  await Promise.all([
    ...(configured.databaseUrl === undefined ? [processes.start(databaseProcess(dir, ports, secrets))] : []),
    ...(queue === undefined ? [] : [processes.start(queue)]),
    ...ground.map((spec) => processes.start(spec)),
  ]);
  const backing = await prepareBacking({ dir, ports, secrets, configured, embeddedRedis: queue !== undefined });
  const repository = await prepareGround(wiring, backing, images);
  await Promise.all(serviceProcesses(wiring, backing, images, repository).map((spec) => processes.start(spec)));
  return { backing, repository: repository.repository };
}

async function prepareGround(
  { dir, ports, secrets }: Wiring,
  backing: Backing,
  images: Readonly<Record<string, string>>,
) {
  const forge = { url: `http://127.0.0.1:${ports.forge}`, user: PERSON, token: secrets.person };
  const repository = await seedRepository(forge, repositoryFiles(images), place(dir).seed);
  await seedWebhooks(forge, repository.repository, [
    { url: `http://127.0.0.1:${ports.writer}/v1/webhooks/gitea`, secret: secrets.webhook },
    { url: `http://127.0.0.1:${ports.kube}/api/webhook`, secret: secrets.webhook },
  ]);
  await seedCluster(
    { url: `http://127.0.0.1:${ports.kube}`, token: secrets.kube },
    {
      model: MODEL,
      environments: ENVIRONMENTS,
      argocdDir: SHIPPED.argocd,
      repository: { url: repository.cloneUrl, user: 'argocd', token: secrets.argocd },
      queue: { url: backing.queueUrl, prefix: backing.queuePrefix },
      volumes: { 'fairway-registry': place(dir).registry, 'fairway-snapshots': place(dir).snapshots },
    },
  );
  return repository;
}

/** The files of the GitOps repository that people own, with this stack's trainer image pinned by digest. */
function repositoryFiles(images: Readonly<Record<string, string>>): Record<string, string> {
  const trainer = images['home-equity-trainer'] ?? '';
  return {
    'README.md':
      '# GitOps repository\n\nWhat serves is what `main` says. People edit `model.yaml` and `policy.yaml`; Fairway proposes the rest.\n',
    [`models/${MODEL}/model.yaml`]: readFileSync(SHIPPED.model, 'utf8').replaceAll(TRAINER_TOKEN, trainer),
    [`models/${MODEL}/policy.yaml`]: readFileSync(SHIPPED.policy, 'utf8'),
  };
}

function describe(
  options: StackOptions,
  wiring: Wiring,
  processes: Supervisor,
  backing: Backing,
  repository: string,
): Stack {
  const { dir, ports, secrets } = wiring;
  const url = (name: 'forge' | 'kube' | 'writer' | 'recorder' | 'monitor' | 'cards') =>
    `http://127.0.0.1:${ports[name]}`;
  const tokens = { writer: secrets.writer, monitor: secrets.monitor, person: secrets.person, kube: secrets.kube };
  const queue = { url: backing.queueUrl, prefix: backing.queuePrefix };
  const record = async () => {
    const all = await listProcesses(processes, { url: url('kube'), token: secrets.kube }, options.configured);
    writeState(dir, { pid: process.pid, started: processStart(process.pid) ?? '', processes: all, queue, tokens });
    return all;
  };
  // Pods come, go and restart without the supervisor: their pids are looked up again every second.
  const refresh = setInterval(() => void record().catch(() => {}), 1000).unref();
  const stop = () => {
    clearInterval(refresh);
    return processes.stop();
  };
  return {
    dir,
    urls: {
      forge: url('forge'),
      kube: url('kube'),
      writer: url('writer'),
      recorder: url('recorder'),
      monitor: url('monitor'),
      cards: url('cards'),
    },
    tokens,
    repository,
    registryDir: place(dir).registry,
    processes: record,
    stop,
    destroy: async () => {
      await stop();
      await backing.forget().catch(() => {});
      removeFolder(options.claim);
    },
  };
}

type Pods = {
  namespace: string;
  pod: string;
  processes: { container: string; pid: number | null; url: string | null }[];
}[];

/** Stack processes, then agent and serving of the newest scoring pod (null while no model is deployed). */
async function listProcesses(
  processes: Supervisor,
  cluster: { url: string; token: string },
  configured: Configured,
): Promise<StackState['processes']> {
  const all: Record<string, { url: string | null; pid: number | null }> = {};
  for (const { name, url, pid } of processes.list()) all[name] = { url, pid: pid ?? null };
  all.database ??= { url: new URL(configured.databaseUrl ?? 'postgres://unknown').host, pid: null };
  all.queue ??=
    configured.redisUrl === undefined ? all.database : { url: new URL(configured.redisUrl).host, pid: null };
  const { pods } = await expectJson<{ pods: Pods }>('Kubernetes', `${cluster.url}/fairway/pods`, {
    token: cluster.token,
  }).catch(() => ({ pods: [] as Pods }));
  for (const container of ['agent', 'serving']) {
    const found = pods.flatMap((pod) => pod.processes).findLast((process) => process.container === container);
    all[container] = { url: found?.url ?? null, pid: found?.pid ?? null };
  }
  return all;
}
