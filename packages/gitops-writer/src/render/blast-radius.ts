import type { Environment } from '@fairway/core';
import { parse } from 'yaml';
import type { RepositoryFile } from '../ports.ts';
import { either, type Section } from './body.ts';
import type { Canary } from './canary.ts';
import { counted, table } from './markdown.ts';
import { type ModelFile, servingOf } from './model-file.ts';
import type { Door, ServingSettings } from './serving-settings.ts';

export type BlastRadius = {
  readonly environment: Environment;
  readonly file: ModelFile;
  /** Files of the environment's folder as they are now; empty before the first deployment. */
  readonly before: readonly RepositoryFile[];
  /** What goes on beside the new version. */
  readonly canary?: Canary;
};

/** What a merge touches in the cluster, and what it leaves alone. */
export function blastRadius({ environment, file, before, canary }: BlastRadius): Section {
  const { name: model, environments } = file;
  const { namespace, application, name } = environment;
  const settings = servingOf(file, name);
  const others = environments.filter((other) => other.name !== name).map((other) => `\`${other.namespace}\``);
  const rows = [
    ['Argo CD Application', `\`${application}\``],
    ['Namespace', `\`${namespace}\``],
    ['Deployment', `\`${model}\`, ${replicasNow(before, settings)}`],
    ['Pods', podsReplaced(before, settings)],
    [
      'Service',
      `\`${model}\`, port 8501; callers use \`http://${model}.${namespace}.svc:8501/v1/models/${model}:predict\``,
    ],
    ...(settings.door === undefined ? [] : [['From outside', wayIn(settings.door)]]),
    ...(canary === undefined ? [] : [['Canary', besides(model, canary)]]),
    ['Untouched', others.length === 0 ? 'there is no other environment' : others.join(', ')],
  ];
  return either(
    'blast radius',
    () => `## What merging touches\n\n${table(['what', 'which'], rows)}`,
    () => `## What merging touches\n\nDeployment \`${model}\` in namespace \`${namespace}\`, ${capacity(settings)}.`,
  );
}

const capacity = ({ autoscaling, replicas }: ServingSettings): string =>
  autoscaling === undefined ? counted(replicas, 'replica') : `${autoscaling.min} to ${autoscaling.max} replicas`;

function wayIn(door: Door): string {
  const host = door.host === undefined ? 'a host that the cluster gives' : `\`${door.host}\``;
  return `${{ route: 'Route', ingress: 'Ingress', gateway: 'HTTPRoute' }[door.kind]}, ${host}`;
}

const besides = (model: string, { stable, weight }: Canary): string =>
  `${weight} % of the requests from outside; version ${stable.modelVersion.version} keeps the others and those to Service \`${model}\` until the new one is approved again`;

function replicasNow(before: readonly RepositoryFile[], wanted: ServingSettings): string {
  const now = runningReplicas(before);
  const text = capacity(wanted);
  if (now === undefined || (wanted.autoscaling === undefined && now === wanted.replicas)) return text;
  return `${text} (${now} now)`;
}

function podsReplaced(before: readonly RepositoryFile[], { autoscaling, replicas }: ServingSettings): string {
  const now = runningReplicas(before);
  if (now === undefined && before.length > 0) return 'all are replaced; each goes when a new one is ready';
  if (now === undefined) return `${counted(autoscaling?.min ?? replicas, 'pod')} will be started`;
  return now === 1
    ? '1 pod is replaced; it goes when the new one is ready'
    : `${counted(now, 'pod')} are replaced as new ones get ready; capacity stays`;
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
