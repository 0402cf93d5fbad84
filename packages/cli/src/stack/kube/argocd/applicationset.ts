import { isDeepStrictEqual } from 'node:util';
import { type Controller, keyOf, splitKey } from '../controllers/loop.ts';
import { APPLICATION, APPLICATION_SET, kindKey } from '../kinds.ts';
import { type Condition, controlledBy, type Draft, isControlledBy, withCondition } from '../objects.ts';
import { refusal } from '../refusal.ts';
import type { ArgoParts } from './application.ts';
import { chosenDirectories } from './directories.ts';
import { sameRepository } from './repositories.ts';
import { fillTemplate, pathParams } from './template.ts';
import { type Application, type ApplicationSet, FINALIZER, REFRESH, REFRESH_TIMESTAMP } from './types.ts';

const ERROR_RETRY_MS = 3_000;
/** Annotations that others set on generated Applications and that the template does not take away. */
const PRESERVED = [REFRESH, REFRESH_TIMESTAMP];

/** Keeps one Application per directory that the git generators of an ApplicationSet find. */
export function applicationSetController(parts: ArgoParts): Controller {
  const { registry, repositories, namespace } = parts;
  return {
    name: 'applicationset',
    keys: ({ kind, object }) => {
      if (object.metadata.namespace !== namespace) return [];
      if (kind === kindKey(APPLICATION_SET)) return [keyOf(object)];
      const owner =
        kind === kindKey(APPLICATION) && object.metadata.ownerReferences?.find((ref) => ref.kind === 'ApplicationSet');
      return owner ? [`${namespace}/${owner.name}`] : [];
    },
    sources: (enqueue) =>
      repositories.onMove((url) => {
        const sets = registry.list(APPLICATION_SET, namespace);
        for (const set of sets.filter(({ spec }) =>
          spec.generators.some(({ git }) => git && sameRepository(git.repoURL, url)),
        ))
          enqueue(keyOf(set));
      }),
    async reconcile(key) {
      const set = registry.get(APPLICATION_SET, ...splitKey(key));
      if (!set || set.metadata.deletionTimestamp !== undefined) return undefined;
      try {
        const wanted = await generate(parts, set);
        applyGenerated(parts, set, wanted);
        report(parts, set, undefined);
        return undefined;
      } catch (error) {
        // Nothing is deleted for a repository that cannot be read.
        report(parts, set, (error as Error).message);
        return ERROR_RETRY_MS;
      }
    },
  };
}

/** The Applications that the directories of the default branch ask for, by name. */
async function generate({ repositories }: ArgoParts, set: ApplicationSet): Promise<Map<string, Draft>> {
  const { generators, template, goTemplate = false, syncPolicy } = set.spec;
  const wanted = new Map<string, Draft>();
  for (const { git } of generators) {
    if (!git?.directories)
      throw refusal('Invalid', 'The embedded cluster knows the git directories generator only: give git.directories.');
    const commit = await repositories.resolve(git.repoURL, git.revision ?? 'HEAD');
    for (const path of chosenDirectories(await repositories.directories(git.repoURL, commit), git.directories)) {
      const { metadata, spec } = fillTemplate(template, pathParams(path), goTemplate);
      if (wanted.has(metadata.name))
        throw refusal(
          'Invalid',
          `ApplicationSet ${set.metadata.name} contains applications with duplicate name: ${metadata.name}`,
        );
      const finalizers = [
        ...new Set([...(metadata.finalizers ?? []), ...(syncPolicy?.preserveResourcesOnDeletion ? [] : [FINALIZER])]),
      ];
      const namespace = set.metadata.namespace ?? '';
      wanted.set(metadata.name, {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'Application',
        metadata: { ...metadata, namespace, finalizers, ownerReferences: [controlledBy(set)] },
        spec,
      });
    }
  }
  return wanted;
}

function applyGenerated({ registry }: ArgoParts, set: ApplicationSet, wanted: ReadonlyMap<string, Draft>): void {
  const namespace = set.metadata.namespace ?? '';
  const owned = registry.list(APPLICATION, namespace).filter((app) => isControlledBy(app, set.metadata.uid));
  // create-update and create-only never delete, create-delete and create-only never change.
  const { applicationsSync = 'sync' } = set.spec.syncPolicy ?? {};
  const [deletes, updates] = ['delete', 'update'].map((verb) => ['sync', `create-${verb}`].includes(applicationsSync));
  const extra = owned.filter(({ metadata }) => deletes && !wanted.has(metadata.name));
  for (const { metadata } of extra) registry.remove(APPLICATION, namespace, metadata.name);
  for (const [name, draft] of wanted) {
    const live = registry.get(APPLICATION, namespace, name);
    if (!live) registry.create(APPLICATION, draft);
    else if (updates && live.metadata.deletionTimestamp === undefined) follow(registry, live, draft);
  }
}

/** Brings a generated Application back to its template; status, operation and refresh requests stay. */
function follow(registry: ArgoParts['registry'], live: Application, draft: Draft): void {
  const { labels = {}, annotations = {}, finalizers = [], ownerReferences = [] } = draft.metadata;
  const kept = Object.entries(live.metadata.annotations ?? {}).filter(([key]) => PRESERVED.includes(key));
  const metadata = {
    ...live.metadata,
    labels,
    annotations: { ...annotations, ...Object.fromEntries(kept) },
    finalizers,
    ownerReferences,
  };
  const same = isDeepStrictEqual(
    [live.spec, live.metadata.labels ?? {}, live.metadata.annotations ?? {}, live.metadata.finalizers ?? []],
    [draft['spec'], labels, metadata.annotations, finalizers],
  );
  if (!same) registry.update(APPLICATION, { ...live, metadata, spec: draft['spec'] });
}

function report({ registry, clock, log }: ArgoParts, before: ApplicationSet, problem: string | undefined): void {
  const set = registry.get(APPLICATION_SET, before.metadata.namespace ?? '', before.metadata.name);
  if (!set) return;
  if (problem !== undefined)
    log.info({ applicationset: set.metadata.name, reason: problem }, 'applications could not be generated');
  const ok = problem === undefined;
  const message = problem ?? 'Successfully generated parameters for all Applications';
  const wanted: Condition[] = [
    {
      type: 'ErrorOccurred',
      status: ok ? 'False' : 'True',
      reason: ok ? 'ApplicationSetUpToDate' : 'ApplicationGenerationFromParamsError',
      message,
    },
    {
      type: 'ParametersGenerated',
      status: ok ? 'True' : 'False',
      reason: ok ? 'ParametersGenerated' : 'ErrorOccurred',
      message,
    },
    {
      type: 'ResourcesUpToDate',
      status: ok ? 'True' : 'False',
      reason: ok ? 'ApplicationSetUpToDate' : 'ErrorOccurred',
      message,
    },
  ];
  const conditions = wanted.reduce(
    (all, condition) => withCondition(all, condition, clock.now()),
    (set.status?.conditions ?? []) as Condition[],
  );
  registry.update(APPLICATION_SET, { ...set, status: { conditions } }, 'status');
}
