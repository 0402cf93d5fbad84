import type { Environment } from '@fairway/core';
import { parse } from 'yaml';
import type { RepositoryFile } from '../ports.ts';
import { either, type Section } from './body.ts';
import { counted, table } from './markdown.ts';
import type { ModelFile } from './model-file.ts';

export type BlastRadius = {
  readonly environment: Environment;
  readonly file: ModelFile;
  /** Files of the environment's folder as they are now; empty before the first deployment. */
  readonly before: readonly RepositoryFile[];
};

/** What a merge touches in the cluster, and what it leaves alone. */
export function blastRadius({ environment, file, before }: BlastRadius): Section {
  const { name: model, replicas, environments } = file;
  const { namespace, application, name } = environment;
  const others = environments.filter((other) => other.name !== name).map((other) => `\`${other.namespace}\``);
  const rows = [
    ['Argo CD Application', `\`${application}\``],
    ['Namespace', `\`${namespace}\``],
    ['Deployment', `\`${model}\`, ${replicasNow(before, replicas)}`],
    ['Pods', podsReplaced(before, replicas)],
    [
      'Service',
      `\`${model}\`, port 8501; callers use \`http://${model}.${namespace}.svc:8501/v1/models/${model}:predict\``,
    ],
    ['Untouched', others.length === 0 ? 'there is no other environment' : others.join(', ')],
  ];
  return either(
    'blast radius',
    () => `## What merging touches\n\n${table(['what', 'which'], rows)}`,
    () =>
      `## What merging touches\n\nDeployment \`${model}\` in namespace \`${namespace}\`, ${counted(replicas, 'replica')}.`,
  );
}

function replicasNow(before: readonly RepositoryFile[], wanted: number): string {
  const now = runningReplicas(before);
  const text = counted(wanted, 'replica');
  if (now === undefined || now === wanted) return text;
  return `${text} (${now} now)`;
}

function podsReplaced(before: readonly RepositoryFile[], wanted: number): string {
  const now = runningReplicas(before);
  if (now === undefined) return `${counted(wanted, 'pod')} will be started`;
  return now === 1
    ? '1 pod is replaced; it goes when the new one is ready'
    : `${counted(now, 'pod')} are replaced one by one; each goes when a new one is ready`;
}

/** What the manifests on the default branch say; people may have broken them, so anything else counts as not known. */
function runningReplicas(before: readonly RepositoryFile[]): number | undefined {
  const manifest = before.find(({ path }) => path.endsWith('/deployment.yaml'));
  if (manifest === undefined) return undefined;
  try {
    const replicas = (parse(manifest.text) as { spec?: { replicas?: unknown } } | null)?.spec?.replicas;
    return typeof replicas === 'number' && Number.isInteger(replicas) && replicas >= 0 ? replicas : undefined;
  } catch {
    return undefined;
  }
}
