import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = (path: string) => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));

/** Entry points of the processes the stack runs, and the shipped files it applies. */
export const ENTRY = {
  writer: repository('packages/gitops-writer/src/main.ts'),
  recorder: repository('packages/monitor/src/recorder-main.ts'),
  monitor: repository('packages/monitor/src/main.ts'),
  agent: repository('packages/log-sidecar/src/main.ts'),
  trainer: repository('examples/home-equity/src/train-main.ts'),
  forge: repository('packages/cli/src/stack/forge/main.ts'),
  kube: repository('packages/cli/src/stack/kube/main.ts'),
  serving: repository('packages/cli/src/stack/serving/main.ts'),
  cards: repository('packages/cli/src/stack/cards/main.ts'),
} as const;

export const SHIPPED = {
  argocd: repository('manifests/argocd'),
  model: repository('examples/home-equity/model.yaml'),
  policy: repository('examples/home-equity/policy.yaml'),
} as const;

/** Folders and files of a stack, below its own folder. */
export const place = (dir: string) => ({
  logs: join(dir, 'logs'),
  forge: join(dir, 'forge'),
  users: join(dir, 'users.json'),
  kube: join(dir, 'kube'),
  kubeconfig: join(dir, 'kubeconfig'),
  programs: join(dir, 'programs.json'),
  images: join(dir, 'images'),
  registry: join(dir, 'registry'),
  snapshots: join(dir, 'snapshots'),
  writer: join(dir, 'writer'),
  cards: join(dir, 'cards'),
  seed: join(dir, 'seed'),
});
