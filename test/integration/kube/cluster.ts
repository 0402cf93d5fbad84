import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KubeConfig, KubernetesObjectApi, type KubernetesObject, Watch } from '@kubernetes/client-node';
import { pause } from '@fairway/core';
import { seedImages } from '../../../packages/cli/src/stack/images/seed.ts';
import { type StackProcess, startStackProcess } from '../../harness/stack-process.ts';

export type TestCluster = {
  readonly dir: string;
  readonly token: string;
  readonly url: string;
  readonly kubeconfig: string;
  readonly images: Readonly<Record<string, string>>;
  readonly config: KubeConfig;
  readonly objects: KubernetesObjectApi;
  readonly process: StackProcess;
  /** Kills and starts again on the same folder; `end`: how it goes down. */
  restart(end: 'stop' | 'kill'): Promise<void>;
  stop(): Promise<void>;
};

const program = (name: string) => fileURLToPath(new URL(`./programs/${name}.mjs`, import.meta.url));

/** A fresh embedded cluster whose images run the tiny programs of this folder. */
export async function startTestCluster(env: Readonly<Record<string, string>> = {}): Promise<TestCluster> {
  const dir = mkdtempSync(join(tmpdir(), 'fairway kube '));
  const token = 'test-token-0123456789';
  const layout = join(dir, 'images');
  const images = await seedImages(layout);
  const programs = join(dir, 'programs.json');
  const node = (name: string) => [process.execPath, program(name)];
  const table = {
    'tf_serving_entrypoint.sh': { argv: node('serve'), env: { BIND: '{podIP}' } },
    'fairway-agent': { argv: node('serve'), env: { BIND: '{podIP}' } },
    'home-equity-train': { argv: node('task') },
  };
  writeFileSync(programs, JSON.stringify(table));
  const kubeconfig = join(dir, 'kubeconfig');
  mkdirSync(join(dir, 'data'));
  const start = () =>
    startStackProcess('kube', {
      HOME: process.env['HOME'] ?? '',
      DATA_DIR: join(dir, 'data'),
      KUBE_TOKEN: token,
      IMAGE_LAYOUT: layout,
      PROGRAMS_FILE: programs,
      KUBECONFIG_OUT: kubeconfig,
      GIT_POLL_MS: '60000',
      LOG_LEVEL: 'info',
      ...env,
    });
  let running = await start();
  let config = load(kubeconfig);
  return {
    dir,
    token,
    kubeconfig,
    images,
    get url() {
      return `http://127.0.0.1:${running.port}`;
    },
    get config() {
      return config;
    },
    get objects() {
      return KubernetesObjectApi.makeApiClient(config);
    },
    get process() {
      return running;
    },
    async restart(end) {
      await running[end]();
      running = await start();
      config = load(kubeconfig);
    },
    async stop() {
      await running.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function load(file: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(file);
  return config;
}

/** Asks until `answer` gives something (not undefined, not false); the last error or value is in the failure. */
export async function eventually<T>(
  what: string,
  answer: () => Promise<T | undefined | false> | T | undefined | false,
  withinMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const value = await answer();
      if (value !== undefined && value !== false) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    await pause(25);
  }
  throw new Error(
    `${what} did not happen within ${withinMs} ms; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`,
  );
}

/** Has `act` done, and answers the first state of the Application that `holds` afterwards: one that is over before a poll would see it, too. */
export async function passingState<App extends KubernetesObject>(
  { config }: TestCluster,
  { name, namespace: at }: { readonly name: string; readonly namespace: string },
  act: () => Promise<unknown>,
  holds: (app: App) => boolean | undefined,
): Promise<App> {
  const states: App[] = [];
  const path = `/apis/argoproj.io/v1alpha1/namespaces/${at}/applications`;
  const query = { fieldSelector: `metadata.name=${name}` };
  const watch = await new Watch(config).watch(
    path,
    query,
    (_, object: App) => void states.push(object),
    () => {},
  );
  try {
    await eventually(`a watch of ${name}`, () => states.length > 0);
    const before = states.length;
    await act();
    return await eventually(`the passing state of ${name}`, () => states.slice(before).find(holds));
  } finally {
    watch.abort();
  }
}

export const namespace = (name: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name },
});
