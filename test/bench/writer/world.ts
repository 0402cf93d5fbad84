import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pause } from '@fairway/core';
import { dataPlace } from '../../../packages/cli/src/stack/postgres/binaries.ts';
import { startPostgresServer } from '../../../packages/cli/src/stack/postgres/server.ts';
import { hasRedisServer, startRedisServer } from '../../../packages/cli/src/stack/redis/server.ts';
import { call, startForgeOn } from '../../conformance/forge/target.ts';
import { freePort } from '../../harness/ports.ts';
import { startWriterOf, type WriterProcess } from '../../harness/writer-process.ts';
import { startCluster } from '../../integration/writer/cluster.ts';
import { writeBase } from '../../integration/writer/layout.ts';
import { registerVersion } from '../../integration/writer/model.ts';
import { environmentName, fillRepository, modelName, type Shape } from './repository.ts';
import { shipped } from '../shipped.ts';

const TOKEN = 'writer-token-of-the-benchmark';

/** One approval that the benchmark sends. */
export type Wanted = { readonly model: string; readonly environment: string; readonly eventId: string };

/** The real writer with PostgreSQL, Redis (BullMQ on PostgreSQL where there is none), the embedded forge, and a repository of the given shape. */
export type BenchWorld = {
  readonly remote: string;
  readonly scratch: string;
  readonly queue: string;
  readonly pid: number;
  approve(wanted: Wanted): Promise<string>;
  /** Waits until the approval has its pull request. */
  proposed(wanted: Wanted): Promise<void>;
  /** Commit of a branch on the remote, or undefined. */
  tip(branch: string): string | undefined;
  output(): string;
  stop(): Promise<void>;
};

export async function startBenchWorld(shape: Shape): Promise<BenchWorld> {
  const dir = mkdtempSync(join(tmpdir(), 'fairway-bench-'));
  const stops: Array<() => Promise<void> | void> = [() => rmSync(dir, { recursive: true, force: true })];
  const stop = async () => {
    for (const end of stops.toReversed()) await end();
  };
  try {
    const { remote, full, forge } = await seedForge(dir, shape);
    stops.push(() => forge.stop());
    await seedRegistry(join(dir, 'registry'), shape.models);
    const backing = await startBacking(dir, stops);
    const cluster = await startCluster(join(dir, 'kubeconfig'));
    stops.push(cluster.stop);
    const program = await shipped('writer', join(dir, 'image'));
    const writer = await startWriterOf(program, writerEnv({ dir, remote, full, forge, ...backing }));
    stops.push(() => writer.end('SIGTERM'));
    await untilReady(writer);
    return { remote, scratch: dir, queue: backing.QUEUE_URL.split(':')[0] ?? '', ...calls(writer, remote), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function calls(writer: WriterProcess, remote: string) {
  const approve = async (wanted: Wanted) => {
    const answer = await fetch(`http://127.0.0.1:${writer.port}/v1/approvals`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ...wanted, version: '1', actor: 'bench@example.com' }),
    });
    const body = (await answer.json()) as { change?: { branch: string }; detail?: string };
    if (body.change === undefined) throw new Error(`approval refused (${answer.status}): ${body.detail}`);
    return body.change.branch;
  };
  const tip = (branch: string) => {
    const loose = join(remote, 'refs', 'heads', branch);
    return existsSync(loose) ? readFileSync(loose, 'utf8').trim() : undefined;
  };
  const proposed = async ({ model, environment }: Wanted) => {
    const query = `model=${model}&environment=${environment}&phase=proposed`;
    for (let i = 0; i < 600; i++) {
      const answer = await fetch(`http://127.0.0.1:${writer.port}/v1/changes?${query}`, {
        headers: { authorization: `Bearer ${TOKEN}` },
      });
      if (((await answer.json()) as { changes: unknown[] }).changes.length > 0) return;
      await pause(50);
    }
    throw new Error(`${model} has no pull request within half a minute: ${writer.output().slice(-2_000)}`);
  };
  return { pid: writer.pid, approve, proposed, tip, output: () => writer.output() };
}

async function seedForge(dir: string, shape: Shape) {
  const forge = await startForgeOn(dir);
  const body = { name: 'gitops', auto_init: false, default_branch: 'main', private: true };
  await call(forge, 'POST', '/user/repos', { token: forge.owner.token, body });
  const full = `${forge.owner.name}/gitops`;
  const remote = join(dir, 'data', 'repositories', `${full}.git`);
  fillRepository(remote, shape);
  return { forge, full, remote };
}

/** The same small model under each name: what is measured is the way of a change, not the reading of large files. */
async function seedRegistry(registry: string, models: number): Promise<void> {
  for (let i = 0; i < Math.min(models, 1_200); i++) await registerVersion(registry, modelName(i), '1', 1);
}

async function startBacking(dir: string, stops: Array<() => Promise<void> | void>) {
  const dataDir = join(dir, 'postgres');
  const postgres = await startPostgresServer({
    dataDir,
    port: await freePort(),
    password: randomBytes(12).toString('hex'),
  });
  stops.push(async () => {
    await postgres.stop();
    rmSync(dataPlace(dataDir), { recursive: true, force: true });
  });
  if (!hasRedisServer()) return { DATABASE_URL: postgres.url, QUEUE_URL: postgres.url };
  const [port, password] = [await freePort(), randomBytes(12).toString('hex')];
  const redis = await startRedisServer({ dataDir: join(dir, 'redis'), port, password, onExit: console.error });
  stops.push(() => redis.stop());
  return { DATABASE_URL: postgres.url, QUEUE_URL: `redis://:${password}@127.0.0.1:${port}` };
}

type Settings = {
  readonly dir: string;
  readonly remote: string;
  readonly full: string;
  readonly forge: Awaited<ReturnType<typeof startForgeOn>>;
  readonly DATABASE_URL: string;
  readonly QUEUE_URL: string;
};

function writerEnv({ dir, remote, full, forge, ...backing }: Settings): Record<string, string> {
  const registry = join(dir, 'registry');
  mkdirSync(registry, { recursive: true });
  return {
    ...backing,
    QUEUE_PREFIX: 'fairway_bench',
    LOG_LEVEL: 'warn',
    DATA_DIR: join(dir, 'writer'),
    WRITER_TOKEN: TOKEN,
    GIT_URL: `file://${remote}`,
    GIT_USER: forge.second.name,
    FORGE: 'gitea',
    FORGE_URL: forge.url,
    FORGE_REPOSITORY: full,
    FORGE_TOKEN: forge.second.token,
    WEBHOOK_SECRET: 'webhook-secret-of-the-benchmark',
    MODEL_DIRECTORY: registry,
    IMAGE_LAYOUT: join(dir, 'images'),
    IMAGE_REPOSITORY: 'registry.example.com/models',
    SERVING_BASE: writeBase(join(dir, 'images')),
    AGENT_IMAGE: `fairway/agent@sha256:${'1'.repeat(64)}`,
    KUBECONFIG: join(dir, 'kubeconfig'),
  };
}

async function untilReady({ port }: WriterProcess): Promise<void> {
  for (let i = 0; i < 600; i++) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
    if (answer.ok) return;
    await pause(100);
  }
  throw new Error('the writer did not become ready within a minute');
}

/** `count` approvals, each for a model and environment of its own. */
export function approvals(shape: Shape, count: number, tag: string): Wanted[] {
  return Array.from({ length: count }, (_, i) => ({
    model: modelName(i % shape.models),
    environment: environmentName(Math.floor(i / shape.models)),
    eventId: `${tag}-${i}`,
  }));
}
