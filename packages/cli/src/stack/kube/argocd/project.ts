import { APP_PROJECT, type Kind } from '../kinds.ts';
import type { Registry } from '../store/registry.ts';
import { sameRepository } from './repositories.ts';
import type { Application, AppProject, Destination } from './types.ts';

/** `*` as any text, as AppProject's lists use it. */
function globMatches(pattern: string, text: string): boolean {
  const source = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${source.join('.*')}$`).test(text);
}

const projectOf = (registry: Registry, app: Application): AppProject | undefined =>
  registry.get(APP_PROJECT, app.metadata.namespace ?? '', app.spec.project);

/** Why an application's project does not allow what it asks for; undefined when it does. */
export function checkProject(registry: Registry, app: Application): string | undefined {
  const { project: name, source, destination } = app.spec;
  const project = projectOf(registry, app);
  if (!project) return `Application referencing project ${name} which does not exist`;
  const repos = project.spec.sourceRepos ?? [];
  if (!repos.some((repo) => sameRepository(repo, source.repoURL) || globMatches(repo, source.repoURL))) {
    return `application repo ${source.repoURL} is not permitted in project '${name}'`;
  }
  if (permitsDestination(project.spec.destinations ?? [], destination)) return undefined;
  return `application destination server '${destination.server ?? destination.name}' and namespace '${destination.namespace}' do not match any of the allowed destinations in project '${name}'`;
}

/** A destination is allowed when one entry allows it and none beginning with `!` takes it away. */
function permitsDestination(entries: readonly Destination[], wanted: Destination): boolean {
  const denied = entries.filter(({ namespace = '' }) => namespace.startsWith('!'));
  if (denied.some(({ namespace = '' }) => globMatches(namespace.slice(1), wanted.namespace ?? ''))) return false;
  return entries.some((allowed) => !denied.includes(allowed) && permits(allowed, wanted));
}

function permits(allowed: Destination, wanted: Destination): boolean {
  const server =
    allowed.server !== undefined && globMatches(allowed.server, wanted.server ?? 'https://kubernetes.default.svc');
  const name = allowed.name !== undefined && globMatches(allowed.name, wanted.name ?? 'in-cluster');
  return (server || name) && globMatches(allowed.namespace ?? '*', wanted.namespace ?? '');
}

/** Whether the project lets this kind be applied: cluster-wide kinds only when listed, others unless a list leaves them out. */
export function permitsKind(registry: Registry, app: Application, kind: Kind): boolean {
  const { clusterResourceWhitelist = [], namespaceResourceWhitelist } = projectOf(registry, app)?.spec ?? {};
  const list = kind.namespaced ? namespaceResourceWhitelist : clusterResourceWhitelist;
  return (
    list === undefined ||
    list.some((allowed) => globMatches(allowed.group, kind.group) && globMatches(allowed.kind, kind.kind))
  );
}
