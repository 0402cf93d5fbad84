import { APP_PROJECT, type Kind } from '../kinds.ts';
import type { Registry } from '../store/registry.ts';
import { globMatches, permitsDestination } from './globs.ts';
import { sameRepository } from './repositories.ts';
import type { Application, AppProject } from './types.ts';

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

/** Whether the project lets this kind be applied: cluster-wide kinds only when listed, others unless a list leaves them out. */
export function permitsKind(registry: Registry, app: Application, kind: Kind): boolean {
  const { clusterResourceWhitelist = [], namespaceResourceWhitelist } = projectOf(registry, app)?.spec ?? {};
  const list = kind.namespaced ? namespaceResourceWhitelist : clusterResourceWhitelist;
  return (
    list === undefined ||
    list.some((allowed) => globMatches(allowed.group, kind.group) && globMatches(allowed.kind, kind.kind))
  );
}
