import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Change } from '@fairway/core';
import { expect } from 'vitest';
import { gitClient } from '../../conformance/forge/git-client.ts';
import { type Account, call, type EmbeddedForge, startForgeOn } from '../../conformance/forge/target.ts';
import { startPostgres } from '../../harness/postgres.ts';
import { startWriter, type WriterProcess } from '../../harness/writer-process.ts';
import { startCluster } from './cluster.ts';
import { writeBase } from './layout.ts';

export const MODEL = 'home-equity';
export const TOKEN = 'writer-token-of-the-tests';
export const SECRET = 'webhook-secret-of-the-tests';
const MODEL_YAML = `apiVersion: fairway.dev/v1
kind: Model
name: ${MODEL}
owner: credit-risk@example.com
source: { registry: directory }
retrain:
  image: registry.example.com/home-equity-trainer@sha256:${'0'.repeat(64)}
  gateMargin: 0.01
environments:
  - { name: dev, namespace: ${MODEL}-dev, merge: auto }
  - { name: prod, namespace: ${MODEL}-prod, merge: review }
`;

export type Answer = { readonly status: number; readonly body: ApiBody };
/** Whatever a call of the writer's API answers; the tests say what they expect of it. */
type ApiBody = {
  readonly change: Change;
  readonly changes: readonly Change[];
  readonly models: ReadonlyArray<{
    readonly environments: ReadonlyArray<{ readonly name: string; readonly live?: { readonly version: string } }>;
  }>;
  readonly detail: string;
  readonly notifications: ReadonlyArray<{
    readonly channel: string;
    readonly event: string;
    readonly title: string;
    readonly state: string;
  }>;
};
/** The same for the forge's API. */
export type ForgeFields = {
  readonly title: string;
  readonly body: string;
  readonly name: string;
  readonly context: string;
  readonly status: string;
  readonly number: number;
  readonly state: string;
  readonly head: { readonly ref: string; readonly label: string; readonly sha: string };
  readonly labels: readonly ForgeFields[];
  readonly statuses: readonly ForgeFields[];
};
type Card = {
  readonly attachments: ReadonlyArray<{ readonly content: { readonly body: readonly CardElement[] } }>;
};
type CardElement = {
  readonly type: string;
  readonly facts?: ReadonlyArray<{ readonly title: string; readonly value: string }>;
};
export type World = Awaited<ReturnType<typeof startWorld>>;

/** A GitOps repository on the embedded forge, a database, a registry, an image layout, a cluster that a test speaks for, and the writer. */
export type WorldOptions = {
  /** A database of the caller's own; otherwise one on the test run's server. */
  readonly postgres?: { readonly url: string; stop(): Promise<void> };
  /** How the writer is started; otherwise as it is shipped. */
  readonly writer?: (env: Readonly<Record<string, string>>) => Promise<WriterProcess>;
};

export async function startWorld(options: WorldOptions = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'fairway writer '));
  const registry = join(dir, 'registry');
  mkdirSync(registry);
  const [postgres, forge, cards] = await Promise.all([
    options.postgres ?? startPostgres(),
    startForgeOn(dir),
    startCards(),
  ]);
  const cluster = await startCluster(join(dir, 'kubeconfig'));
  const git = gitClient();
  const repository = await seed(forge, git);
  const serving = writeBase(join(dir, 'images'));
  const env = {
    DATABASE_URL: postgres.url,
    QUEUE_URL: postgres.url,
    QUEUE_PREFIX: 'fairway_queue',
    DATA_DIR: join(dir, 'writer'),
    WRITER_TOKEN: TOKEN,
    GIT_URL: `${forge.url}/${repository.full}.git`,
    GIT_USER: forge.second.name,
    FORGE: 'gitea',
    FORGE_URL: forge.url,
    FORGE_REPOSITORY: repository.full,
    FORGE_TOKEN: forge.second.token,
    WEBHOOK_SECRET: SECRET,
    // The cluster of these tests says what it is told at once; steadiness has tests of its own.
    HEALTH_HYSTERESIS_MS: '0',
    MODEL_DIRECTORY: registry,
    IMAGE_LAYOUT: join(dir, 'images'),
    IMAGE_REPOSITORY: 'registry.example.com/models',
    SERVING_BASE: serving,
    AGENT_IMAGE: `fairway/agent@sha256:${'1'.repeat(64)}`,
    KUBECONFIG: join(dir, 'kubeconfig'),
    TEAMS_WEBHOOK_URL: cards.url,
  };
  const begin = options.writer ?? startWriter;
  let writer = await begin(env);
  const api = (method: string, path: string, body?: unknown) =>
    ask(`http://127.0.0.1:${writer.port}`, method, path, body);
  const onForge = async (method: string, path: string, body?: unknown, as: Account = forge.owner) => {
    const answer = await call(forge, method, `/repos/${repository.full}${path}`, { token: as.token, body });
    return { status: answer.status, body: answer.body as unknown as ForgeFields & readonly ForgeFields[] };
  };
  const stop = async () => {
    await writer.end('SIGTERM');
    await forge.stop();
    cluster.stop();
    cards.stop();
    git.remove();
    await postgres.stop();
    rmSync(dir, { recursive: true, force: true });
  };
  return {
    dir,
    registry,
    repository,
    cluster,
    forge,
    git,
    cards: cards.received,
    api,
    onForge,
    stop,
    env,
    url: () => `http://127.0.0.1:${writer.port}`,
    output: () => writer.output(),
    stopWriter: (signal: NodeJS.Signals) => writer.end(signal),
    startWriter: async () => {
      writer = await begin(env);
    },
    /** Waits until a change is as `wanted` says; fails with what it is instead. */
    until: (id: string, wanted: (change: Change) => boolean, ms = 120_000) => until(api, id, wanted, ms),
    remoteBranches: () => git.branches(`${forge.url}/${repository.full}.git`, forge.owner),
    clone: (name: string) => git.clone(`${forge.url}/${repository.full}.git`, name, forge.owner),
  };
}

/** Approves a version; the answer of the writer. */
export const approve = (world: World, version: string, environment: string, eventId: string): Promise<Answer> =>
  world.api('POST', '/v1/approvals', {
    eventId,
    model: MODEL,
    version,
    environment,
    actor: 'alice@example.com',
    evidence: 'Looks | good',
  });

/** Events of the cards that Teams got, sorted. */
export function cardEvents({ cards }: World): string[] {
  const elements = cards.flatMap(({ attachments }) => attachments.flatMap(({ content }) => content.body));
  const facts = elements.flatMap((element) => element.facts ?? []);
  return facts
    .filter(({ title }) => title === 'Event')
    .map(({ value }) => value)
    .sort();
}

async function seed(forge: EmbeddedForge, git: ReturnType<typeof gitClient>) {
  const body = { name: 'gitops', auto_init: true, default_branch: 'main', private: true };
  await call(forge, 'POST', '/user/repos', { token: forge.owner.token, body });
  const full = `${forge.owner.name}/gitops`;
  const folder = await git.clone(`${forge.url}/${full}.git`, 'seed', forge.owner);
  await git.commit(folder, `models/${MODEL}/policy.yaml`, 'rules: []\n');
  await git.commit(folder, `models/${MODEL}/model.yaml`, MODEL_YAML);
  await git.ok(folder, ['push', '--quiet', 'origin', 'main'], forge.owner);
  return { full };
}

async function ask(url: string, method: string, path: string, body?: unknown): Promise<Answer> {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as ApiBody };
}

type Api = (method: string, path: string) => Promise<Answer>;

async function until(api: Api, id: string, wanted: (change: Change) => boolean, ms: number): Promise<Change> {
  const deadline = Date.now() + ms;
  for (;;) {
    const { body } = await api('GET', `/v1/changes/${id}`);
    const { change } = body;
    if (wanted(change)) return change;
    if (Date.now() > deadline) expect.fail(`the change stays like this: ${JSON.stringify(change, undefined, 2)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Takes what the writer sends to Teams. */
async function startCards() {
  const received: Card[] = [];
  const read = async (request: IncomingMessage) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push(JSON.parse(Buffer.concat(chunks).toString('utf8')) as Card);
  };
  const server = createServer((request, response) => void read(request).then(() => response.writeHead(202).end()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}/flow?sig=secret-of-the-flow`;
  return { url, received, stop: () => server.close() };
}
