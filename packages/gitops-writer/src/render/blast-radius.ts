import type { Environment } from '@fairway/core';
import type { RepositoryFile } from '../ports.ts';
import { either, type Section } from './body.ts';
import type { Canary } from './canary.ts';
import { counted, table } from './markdown.ts';
import { type ModelFile, servingOf } from './model-file.ts';
import { type Standing, standingIn } from './standing.ts';

export type BlastRadius = {
  readonly environment: Environment;
  readonly file: ModelFile;
  /** Files of the environment's folder as they are now; empty before the first deployment. */
  readonly before: readonly RepositoryFile[];
  /** What goes on beside the new version. */
  readonly canary?: Canary;
  /** Files of a folder that is put back as it was: what they say counts, not what model.yaml says by now. */
  readonly restored?: readonly RepositoryFile[];
};

/** What a merge touches in the cluster, and what it leaves alone. */
export function blastRadius(radius: BlastRadius): Section {
  const { environment, file, before, canary } = radius;
  const { name: model, environments } = file;
  const { namespace, application, name } = environment;
  const [now, wanted] = [standingIn(before), wantedOf(radius)];
  const others = environments.filter((other) => other.name !== name).map((other) => `\`${other.namespace}\``);
  const rows = [
    ['Argo CD Application', `\`${application}\``],
    ['Namespace', `\`${namespace}\``],
    ['Deployment', `\`${model}\`, ${replicasNow(now, wanted)}`],
    ['Pods', podsReplaced(now, wanted, before.length > 0)],
    [
      'Service',
      `\`${model}\`, port 8501; callers use \`http://${model}.${namespace}.svc:8501/v1/models/${model}:predict\``,
    ],
    ...(wanted.door === undefined ? [] : [['From outside', wayIn(wanted.door)]]),
    ...(canary === undefined ? [] : [['Canary', besides(model, canary)]]),
    ['Untouched', others.length === 0 ? 'there is no other environment' : others.join(', ')],
  ];
  return either(
    'blast radius',
    () => `## What merging touches\n\n${table(['what', 'which'], rows)}`,
    () => `## What merging touches\n\nDeployment \`${model}\` in namespace \`${namespace}\`, ${capacity(wanted)}.`,
  );
}

function wantedOf({ environment, file, restored }: BlastRadius): Standing {
  return restored === undefined ? servingOf(file, environment.name) : standingIn(restored);
}

function capacity({ autoscaling, replicas }: Standing): string {
  if (autoscaling !== undefined) return `${autoscaling.min} to ${autoscaling.max} replicas`;
  return replicas === undefined ? 'as many replicas as there are' : counted(replicas, 'replica');
}

function wayIn({ kind, host }: NonNullable<Standing['door']>): string {
  const where = host === undefined ? 'a host that the cluster gives' : `\`${host}\``;
  return `${{ route: 'Route', ingress: 'Ingress', gateway: 'HTTPRoute' }[kind]}, ${where}`;
}

const besides = (model: string, { stable, weight }: Canary): string =>
  `${weight} % of the requests from outside; version ${stable.modelVersion.version} keeps the others and those to Service \`${model}\` until the new one is approved again`;

function replicasNow({ replicas: now }: Standing, wanted: Standing): string {
  const text = capacity(wanted);
  if (now === undefined || (wanted.autoscaling === undefined && now === wanted.replicas)) return text;
  return `${text} (${now} now)`;
}

function podsReplaced({ replicas: now }: Standing, { autoscaling, replicas }: Standing, isThere: boolean): string {
  if (now === undefined && isThere) return 'all are replaced; each goes when a new one is ready';
  const wanted = autoscaling?.min ?? replicas;
  if (now === undefined)
    return wanted === undefined ? 'pods will be started' : `${counted(wanted, 'pod')} will be started`;
  if (wanted !== undefined && wanted < now)
    return `${counted(now, 'pod')} are replaced by ${wanted}, as new ones get ready`;
  return now === 1
    ? '1 pod is replaced; it goes when the new one is ready'
    : `${counted(now, 'pod')} are replaced as new ones get ready; capacity stays`;
}
