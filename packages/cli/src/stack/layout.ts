import { join } from 'node:path';
import { inCheckout } from './checkout.ts';

/** Entry points of the processes the stack runs, and the shipped files it applies. */
export const ENTRY = {
  writer: inCheckout('packages/gitops-writer/src/main.ts'),
  recorder: inCheckout('packages/monitor/src/recorder-main.ts'),
  monitor: inCheckout('packages/monitor/src/main.ts'),
  agent: inCheckout('packages/log-sidecar/src/main.ts'),
  trainer: inCheckout('examples/home-equity/src/train-main.ts'),
  database: inCheckout('packages/cli/src/stack/postgres/main.ts'),
  queue: inCheckout('packages/cli/src/stack/redis/main.ts'),
  forge: inCheckout('packages/cli/src/stack/forge/main.ts'),
  kube: inCheckout('packages/cli/src/stack/kube/main.ts'),
  serving: inCheckout('packages/cli/src/stack/serving/main.ts'),
  cards: inCheckout('packages/cli/src/stack/cards/main.ts'),
} as const;

export const SHIPPED = {
  argocd: inCheckout('manifests/argocd'),
  install: inCheckout('manifests/install'),
  model: inCheckout('examples/home-equity/model.yaml'),
  policy: inCheckout('examples/home-equity/policy.yaml'),
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
