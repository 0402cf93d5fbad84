import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, type Logger, pause, systemClock } from '@fairway/core';
import { type Chain, webhookChain } from './admission/chain.ts';
import { admittedWriter, type Writer } from './admission/writer.ts';
import { type Identity, loadIdentity } from './api/certificate.ts';
import { writeKubeconfig } from './api/kubeconfig.ts';
import { listen, type Listener } from './api/listener.ts';
import { serveLog } from './api/logs.ts';
import { serviceReport } from './api/reports.ts';
import { apiHandler } from './api/server.ts';
import { accountUser, usersOf } from './api/users.ts';
import { type ArgoParts, applicationController } from './argocd/application.ts';
import { applicationSetController } from './argocd/applicationset.ts';
import { renderer } from './argocd/manifests.ts';
import { gitPoller } from './argocd/poll.ts';
import { openRepositories } from './argocd/repositories.ts';
import { claimController } from './controllers/claim.ts';
import { deploymentController } from './controllers/deployment.ts';
import { endpointController } from './controllers/endpoints.ts';
import { type EventRecorder, eventRecorder } from './controllers/events.ts';
import { garbageController } from './controllers/garbage.ts';
import { jobController } from './controllers/job.ts';
import { runControllers } from './controllers/loop.ts';
import { namespaceController } from './controllers/namespace.ts';
import { serviceProxy } from './controllers/proxy.ts';
import { replicaSetController } from './controllers/replicaset.ts';
import { firstObjects, moveServices } from './first-objects.ts';
import { KINDS, POD, SERVICE } from './kinds.ts';
import type { Programs } from './kubelet/command.ts';
import { imageStore } from './kubelet/images.ts';
import { type Kubelet, kubelet } from './kubelet/kubelet.ts';
import { processTable } from './kubelet/processes.ts';
import { claimNetwork, type Network } from './network.ts';
import { openJournal } from './store/journal.ts';
import { openRegistry, type Registry } from './store/registry.ts';
import { openStore } from './store/store.ts';

export type ClusterConfig = {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly token: string;
  readonly imageLayout: string;
  readonly programs: Programs;
  readonly kubectl: string;
  readonly gitPollMs: number;
  readonly kubeconfigOut: string | undefined;
  readonly argocdNamespace: string;
  /** API groups that it does not serve. */
  readonly lacks: readonly string[];
  /** What programs and git need of our own environment. */
  readonly path: string;
  readonly tmpdir: string;
};

export type Cluster = { readonly port: number; stop(): Promise<void> };

/** Starts the whole embedded cluster on what its data folder holds from last time. */
export async function startCluster(config: ClusterConfig, log: Logger): Promise<Cluster> {
  const { dataDir } = config;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const clock = systemClock;
  const network = await claimNetwork(dataDir);
  const journal = openJournal(join(dataDir, 'store'));
  const registry = openRegistry(openStore(journal), clock, {
    clusterIP: () => network.serviceAddress(serviceAddresses(registry)),
  });
  const chain = webhookChain(registry);
  const workers = clusterWorkers(config, { registry, chain, clock, log, network });
  const identity = loadIdentity(
    join(dataDir, 'tls'),
    ['127.0.0.1', 'localhost', ...(/^[\d.]+$/.test(config.host) ? [config.host] : [])],
    clock.now(),
  );
  const listener = await startApi(config, {
    registry,
    chain,
    clock,
    identity,
    log,
    report: () => workers.pods(),
    webhook: (body) => workers.webhook(body),
  });
  workers.start();
  return {
    port: listener.port,
    async stop() {
      await workers.stop();
      await listener.close();
      network.close();
      journal.close();
    },
  };
}

const serviceAddresses = (registry: Registry): Set<string> =>
  new Set(registry.list(SERVICE).flatMap(({ spec }) => spec.clusterIP ?? []));

type Ground = {
  readonly registry: Registry;
  readonly chain: Chain;
  readonly clock: Clock;
  readonly log: Logger;
  readonly network: Network;
};

/** The writer of one of the cluster's own accounts; what webhooks warn of is logged, as nobody else hears it. */
const ownWriter = ({ registry, chain, log }: Ground, namespace: string, account: string): Writer =>
  admittedWriter(registry, chain, {
    user: accountUser(namespace, account),
    warn: (warning) => log.warn({ account, warning }, 'a webhook warns'),
  });

/** What works on the objects once the API is up. */
type Workers = {
  start(): void;
  /** Stops pods and controllers; what hangs is not waited for longer than {@link STOP_PATIENCE_MS}. */
  stop(): Promise<void>;
  pods(): object[];
  webhook(body: unknown): void;
};

/** A Git call may take a minute, but our own stop has ten seconds. */
const STOP_PATIENCE_MS = 8_000;

function clusterWorkers(config: ClusterConfig, ground: Ground): Workers {
  const { registry, log, network, clock } = ground;
  const record = eventRecorder(registry, clock);
  const node = clusterNode(config, ground, record);
  const proxy = serviceProxy(registry, record, log);
  const argo = argoParts(config, ground);
  const poller = gitPoller(registry, argo.repositories, config.argocdNamespace, config.gitPollMs, log);
  const controllers = [
    namespaceController(registry),
    garbageController(registry),
    claimController(registry),
    deploymentController(registry, clock, record),
    replicaSetController(registry, ownWriter(ground, 'kube-system', 'replicaset-controller'), clock, record),
    jobController(registry, ownWriter(ground, 'kube-system', 'job-controller'), clock, record),
    endpointController(registry),
    proxy,
    node.controller,
    applicationSetController(argo),
    applicationController(argo),
  ];
  let running: { stop(): Promise<void> } | undefined;
  return {
    pods: () => node.report(),
    webhook: (body) => poller.webhook(body),
    start() {
      firstObjects(registry, config.argocdNamespace);
      moveServices(registry, network, () => serviceAddresses(registry));
      node.takeOver();
      running = runControllers(registry, controllers, log);
      node.start().catch((error: Error) => log.error({ reason: error.message }, 'kubelet could not start'));
      poller.start();
    },
    async stop() {
      await Promise.race([Promise.all([poller.stop(), running?.stop(), node.stop()]), pause(STOP_PATIENCE_MS)]);
      proxy.close();
    },
  };
}

function clusterNode(config: ClusterConfig, { registry, clock, log, network }: Ground, record: EventRecorder): Kubelet {
  const { dataDir, path } = config;
  const images = imageStore(config.imageLayout, join(dataDir, 'images'));
  const processes = processTable(join(dataDir, 'processes'), clock);
  const baseEnv = { PATH: path, HOME: dataDir, TMPDIR: config.tmpdir };
  return kubelet(
    { registry, record, clock, log, images, processes, programs: config.programs, baseEnv, dataDir },
    network,
  );
}

function argoParts({ dataDir, path, kubectl, argocdNamespace: namespace }: ClusterConfig, ground: Ground): ArgoParts {
  const { registry, clock, log } = ground;
  const writer = ownWriter(ground, namespace, `${namespace}-argocd-application-controller`);
  const repositories = openRepositories(registry, { dataDir: join(dataDir, 'argocd'), namespace, path }, log);
  return { registry, writer, repositories, render: renderer(repositories, kubectl, path), clock, log, namespace };
}

type ApiGround = {
  readonly registry: Registry;
  readonly chain: Chain;
  readonly clock: Clock;
  readonly identity: Identity;
  readonly log: Logger;
  readonly report: () => object[];
  readonly webhook: (body: unknown) => void;
};

async function startApi(
  config: ClusterConfig,
  { registry, chain, clock, identity, log, report, webhook }: ApiGround,
): Promise<Listener> {
  const handler = apiHandler({
    registry,
    chain,
    lacks: config.lacks,
    users: usersOf(registry, config.token, clock),
    admin: { ready: () => undefined, metrics: async () => metrics(registry) },
    serveLog: async (target, query, response) => serveLog(registry, config.dataDir, target, query, response),
    webhook,
    reports: {
      '/fairway/pods': () => ({ pods: report() }),
      '/fairway/services': () => ({ services: serviceReport(registry) }),
    },
    log,
  });
  const listener = await listen(config.host, config.port, identity, handler);
  const shown = config.host === '0.0.0.0' ? '127.0.0.1' : config.host;
  if (config.kubeconfigOut !== undefined) {
    writeKubeconfig(config.kubeconfigOut, {
      url: `https://${shown}:${listener.port}`,
      certificate: identity.certificate,
      token: config.token,
    });
  }
  log.info({ port: listener.port }, 'embedded cluster listens');
  return listener;
}

function metrics(registry: Registry): { contentType: string; body: string } {
  const lines = KINDS.map(
    (kind) => `fairway_kube_objects{group="${kind.group}",kind="${kind.kind}"} ${registry.list(kind).length}`,
  );
  const pods = registry.list(POD).length;
  const body = [
    '# TYPE fairway_kube_objects gauge',
    ...lines,
    '# TYPE fairway_kube_pods gauge',
    `fairway_kube_pods ${pods}`,
    '',
  ].join('\n');
  return { contentType: 'text/plain; version=0.0.4; charset=utf-8', body };
}
