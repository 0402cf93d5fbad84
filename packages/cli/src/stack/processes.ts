import { mkdirSync, writeFileSync } from 'node:fs';
import type { Backing } from './backing.ts';
import { ENTRY, place } from './layout.ts';
import type { Ports, Secrets } from './secrets.ts';
import { runnable } from './runnable.ts';
import type { ProcessSpec } from './supervisor.ts';

const HOST = '127.0.0.1';
/** The person of the demo's bank: owns the GitOps repository and merges. */
export const PERSON = 'alice';
const BOT = 'fairway-bot';

export type Wiring = { readonly dir: string; readonly ports: Ports; readonly secrets: Secrets };

const local = (port: number) => `http://${HOST}:${port}`;
const listen = (port: number) => ({ HOST, PORT: String(port) });

/** URL of the Teams receiver in the form of a Workflows URL: the signature in it makes the whole a secret. */
const cardsUrl = ({ ports, secrets }: Wiring): string =>
  `${local(ports.cards)}/workflows/fairway/triggers/manual/paths/invoke?api-version=1&sig=${secrets.cards}`;

/** Forge, Kubernetes and Teams receiver: they need nobody. */
export async function groundProcesses(wiring: Wiring): Promise<ProcessSpec[]> {
  const { dir, ports, secrets } = wiring;
  const at = place(dir);
  writeUsers(wiring);
  await writePrograms(dir);
  return [
    {
      name: 'forge',
      entry: ENTRY.forge,
      url: local(ports.forge),
      readyUrl: `${local(ports.forge)}/readyz`,
      env: { ...listen(ports.forge), DATA_DIR: at.forge, FORGE_USERS_FILE: at.users, FORGE_URL: local(ports.forge) },
    },
    {
      name: 'kube',
      entry: ENTRY.kube,
      url: local(ports.kube),
      readyUrl: `${local(ports.kube)}/readyz`,
      env: {
        ...listen(ports.kube),
        DATA_DIR: at.kube,
        KUBE_TOKEN: secrets.kube,
        IMAGE_LAYOUT: at.images,
        PROGRAMS_FILE: at.programs,
        KUBECONFIG_OUT: at.kubeconfig,
      },
    },
    {
      name: 'cards',
      entry: ENTRY.cards,
      url: local(ports.cards),
      readyUrl: `${local(ports.cards)}/readyz`,
      env: { ...listen(ports.cards), DATA_DIR: at.cards, CARDS_SIG: secrets.cards },
    },
  ];
}

/** Writer, recorder and monitor, wired to the ground and to the backing servers. */
export function serviceProcesses(
  wiring: Wiring,
  backing: Backing,
  images: Readonly<Record<string, string>>,
  repository: { readonly repository: string; readonly cloneUrl: string },
): ProcessSpec[] {
  const { dir, ports, secrets } = wiring;
  const at = place(dir);
  const teams = { TEAMS_WEBHOOK_URL: cardsUrl(wiring), DASHBOARD_URL: local(ports.monitor) };
  const writerClient = (token: string) => ({ WRITER_URL: local(ports.writer), WRITER_TOKEN: token });
  const service = (name: 'writer' | 'recorder' | 'monitor', env: Record<string, string>): ProcessSpec => ({
    name,
    entry: ENTRY[name],
    url: local(ports[name]),
    readyUrl: `${local(ports[name])}/readyz`,
    env: { ...listen(ports[name]), DATABASE_URL: backing.databaseUrl, ...env },
  });
  return [
    service('writer', {
      ...teams,
      QUEUE_URL: backing.queueUrl,
      QUEUE_PREFIX: backing.queuePrefix,
      DATA_DIR: at.writer,
      WRITER_TOKEN: secrets.writer,
      WRITER_CREDENTIALS: credentials(wiring),
      GIT_URL: repository.cloneUrl,
      GIT_USER: BOT,
      FORGE: 'gitea',
      FORGE_URL: local(ports.forge),
      FORGE_REPOSITORY: repository.repository,
      FORGE_TOKEN: secrets.bot,
      WEBHOOK_SECRET: secrets.webhook,
      MODEL_DIRECTORY: at.registry,
      IMAGE_LAYOUT: at.images,
      IMAGE_REPOSITORY: 'registry.fairway.local/models',
      SERVING_BASE: images['tensorflow/serving'] ?? '',
      AGENT_IMAGE: images['fairway/agent'] ?? '',
      KUBECONFIG: at.kubeconfig,
      HEALTH_HYSTERESIS_MS: '1000',
      MONITOR_URL: local(ports.monitor),
      MONITOR_TOKEN: secrets.monitor,
      POLICY_TEST_EVERY_MS: '5000',
    }),
    service('recorder', {
      ...writerClient(secrets.writerForRecorder),
      QUEUE_URL: backing.queueUrl,
      QUEUE_PREFIX: backing.queuePrefix,
      MONITOR_TOKEN: secrets.monitor,
    }),
    service('monitor', {
      ...teams,
      ...writerClient(secrets.writerForMonitor),
      MONITOR_TOKEN: secrets.monitor,
      SNAPSHOT_DIR: at.snapshots,
      // Labels of the demo come in one piece, seconds after the predictions; half a second of quiet is enough here.
      SETTLE_MS: '500',
    }),
  ];
}

/** What the others may do at the writer: what their work needs, and no more. */
const credentials = ({ secrets }: Wiring): string =>
  JSON.stringify([
    { name: 'recorder', role: 'viewer', token: secrets.writerForRecorder },
    { name: 'monitor', role: 'approver', token: secrets.writerForMonitor },
  ]);

function writeUsers({ dir, secrets }: Wiring): void {
  const users = [
    { name: PERSON, token: secrets.person, admin: true, person: true },
    { name: BOT, token: secrets.bot },
    { name: 'argocd', token: secrets.argocd },
  ];
  writeFileSync(place(dir).users, JSON.stringify(users), { mode: 0o600 });
}

/** Which local program stands for which image entrypoint; each is told to bind to its pod's own address. */
async function writePrograms(dir: string): Promise<void> {
  const node = async (entry: string) => [process.execPath, ...(await runnable(entry))];
  const programs = {
    'tf_serving_entrypoint.sh': { argv: await node(ENTRY.serving), env: { REST_HOST: '{podIP}' } },
    'fairway-agent': { argv: await node(ENTRY.agent), env: { LISTEN_HOST: '{podIP}', UPSTREAM: '{podIP}:8501' } },
    'home-equity-train': { argv: await node(ENTRY.trainer), env: {} },
  };
  mkdirSync(place(dir).images, { recursive: true });
  writeFileSync(place(dir).programs, JSON.stringify(programs, undefined, 2));
}
