import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { startFakeWriter } from '../../harness/fake-writer.ts';
import { startPostgres } from '../../harness/postgres.ts';
import { startWriter } from '../../harness/writer-process.ts';
import { type KubeObject, rendering } from '../../manifests/render.ts';
import { secretFolder, startInjector } from '../injector/injector.ts';
import { startProcess } from '../monitor/support.ts';
import { startWorld } from '../writer/world.ts';

/** What a Service and its routers get to forget a pod, and what each part of a process gets to stop (core/lifecycle.ts), seconds. */
const FORGET_S = 5;
const PART_S = 10;

const TEAMS = { TEAMS_WEBHOOK_URL: 'https://teams.example.com/hook' };
const WEBHOOK = {
  NOTIFY_WEBHOOK_URL: 'https://hooks.example.com/fairway',
  NOTIFY_WEBHOOK_SECRET: 'a secret of the test, long enough',
};
const TOKENS = { WRITER_TOKEN: 'writer-token-of-the-test', MONITOR_TOKEN: 'monitor-token-of-the-test' };

const cleanups: Array<() => unknown> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function monitoring(entry: 'main.ts' | 'recorder-main.ts', more: Record<string, string>): Promise<string> {
  const database = await startPostgres();
  cleanups.push(() => database.stop());
  const writer = await startFakeWriter();
  cleanups.push(() => writer.stop());
  const folder = mkdtempSync(join(tmpdir(), 'fairway-drain-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  const env = { ...TOKENS, ...more, DATABASE_URL: database.url, WRITER_URL: writer.url, WRITER_TOKEN: writer.token };
  const own = entry === 'main.ts' ? { SNAPSHOT_DIR: folder } : { QUEUE_URL: database.url, QUEUE_PREFIX: 'drain' };
  const child = await startProcess(entry, { LOG_LEVEL: 'debug', ...env, ...own });
  cleanups.push(() => child.kill());
  await child.stop();
  return child.log();
}

/** What each service logs from its start to its end, with everything that an overlay may switch on. */
const LOGS: Readonly<Record<string, () => Promise<string>>> = {
  writer: async () => {
    const world = await startWorld();
    cleanups.push(() => world.stop());
    const monitor = { MONITOR_URL: 'http://127.0.0.1:9', MONITOR_TOKEN: TOKENS.MONITOR_TOKEN };
    const DATA_DIR = join(world.dir, 'second writer');
    const writer = await startWriter({ ...world.env, ...monitor, ...TEAMS, ...WEBHOOK, DATA_DIR });
    await writer.end('SIGTERM');
    return writer.output();
  },
  recorder: () => monitoring('recorder-main.ts', {}),
  monitor: () =>
    monitoring('main.ts', {
      ...TEAMS,
      ...WEBHOOK,
      SMTP_HOST: '127.0.0.1',
      MAIL_FROM: 'fairway@example.com',
      MAIL_TO: 'team@example.com',
      SAS_TABLES_PREFIX: 'fw',
    }),
  injector: async () => {
    const folder = secretFolder();
    cleanups.push(() => folder.remove());
    folder.put(folder.identity());
    const injector = await startInjector(folder);
    await injector.end('SIGTERM');
    return injector.output();
  },
};

let objects: readonly KubeObject[];
beforeAll(() => {
  objects = rendering('manifests/install/overlays/openshift').objects;
});

type Pod = {
  terminationGracePeriodSeconds: number;
  containers: [{ lifecycle: { preStop: { exec: { command: string[] } } } }];
};

test.each(Object.keys(LOGS))(
  'a pod of the %s gets as long to end as its parts may take, one after the other',
  async (name) => {
    const found = objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === `fairway-${name}`);
    if (found === undefined) throw new Error(`there is no Deployment fairway-${name}`);
    const { template } = found['spec'] as { template: { spec: Pod } };
    const [{ lifecycle }] = template.spec.containers;
    expect(lifecycle.preStop.exec.command.at(-1)).toBe(`setTimeout(() => {}, ${FORGET_S * 1000})`);
    const log = (await LOGS[name]?.()) ?? '';
    const parts = log.match(/"msg":"part started"/g)?.length ?? 0;
    expect(parts).toBeGreaterThan(2);
    const most = FORGET_S + parts * PART_S;
    expect(template.spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(most);
    expect(template.spec.terminationGracePeriodSeconds).toBeLessThanOrEqual(most + PART_S);
  },
);
