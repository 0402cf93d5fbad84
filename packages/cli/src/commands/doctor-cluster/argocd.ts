import { parse } from 'yaml';
import { globMatches, permitsDestination } from '../../stack/kube/argocd/globs.ts';
import type { Destination } from '../../stack/kube/argocd/types.ts';
import type { Item, Looker } from './cluster.ts';
import { type Finding, missing, ok, warning } from './finding.ts';
import type { Shipped } from './shipped.ts';

const API = '/apis/argoproj.io/v1alpha1/namespaces';
/** Placeholder of the shipped manifests. */
const PLACEHOLDER = 'git.example.com';

type Kind = { readonly group: string; readonly kind: string };
type Condition = { readonly type: string; readonly status?: string; readonly message?: string };
type Exclusion = {
  readonly apiGroups?: readonly string[];
  readonly kinds?: readonly string[];
  readonly clusters?: readonly string[];
};

const kindsIn = (project: Item): Kind[] => [
  ...((project.spec?.['namespaceResourceWhitelist'] ?? []) as Kind[]),
  ...((project.spec?.['clusterResourceWhitelist'] ?? []) as Kind[]),
];

/** Argo CD's side: project, ApplicationSets and their controller, and whether it has been told to look away from what we render. */
export async function argoFindings(
  looker: Looker,
  shipped: readonly Shipped[],
  models: readonly string[],
): Promise<Finding[]> {
  if (!(await looker.kinds('argoproj.io/v1alpha1')).includes('Application')) return [];
  const objects = shipped.filter(({ folder }) => folder === '').map(({ object }) => object);
  const projects = objects.filter(({ kind }) => kind === 'AppProject');
  const sets = objects.filter(({ kind }) => kind === 'ApplicationSet');
  return [
    ...(await Promise.all(projects.map((project) => projectFindings(looker, project, models)))).flat(),
    ...(await Promise.all(sets.map((set) => setFinding(looker, set)))),
    ...(await controllerFindings(looker)),
    ...(await exclusionFindings(looker, projects.flatMap(kindsIn))),
  ];
}

/** What `manifests/argocd` puts beside Argo CD, or why there is nothing to look at. */
async function applied(
  looker: Looker,
  path: string,
  called: string,
): Promise<{ readonly found: Item } | { readonly finding: Finding }> {
  const seen = await looker.get(`${API}/${looker.argocd}/${path}`);
  if ('refused' in seen) return { finding: warning(called, `cannot be looked at: ${seen.refused}`) };
  if ('absent' in seen)
    return { finding: missing(called, `is not in ${looker.argocd}: apply manifests/argocd with your repository`) };
  return seen;
}

async function projectFindings(looker: Looker, shipped: Item, models: readonly string[]): Promise<Finding[]> {
  const { name } = shipped.metadata;
  const called = `AppProject ${name}`;
  const seen = await applied(looker, `appprojects/${name}`, called);
  if ('finding' in seen) return [seen.finding];
  const sources = (seen.found.spec?.['sourceRepos'] ?? []) as string[];
  const problems: string[] = [];
  if (sources.length === 0 || sources.some((one) => one.includes(PLACEHOLDER)))
    problems.push(
      `takes nothing from your repository (sourceRepos: ${sources.join(', ') || 'none'}): put its address in`,
    );
  const allowed = kindsIn(seen.found);
  const lacking = kindsIn(shipped).filter(
    (wanted) =>
      !allowed.some((one) => [wanted.group, '*'].includes(one.group) && [wanted.kind, '*'].includes(one.kind)),
  );
  if (lacking.length > 0)
    problems.push(
      `does not allow ${lacking.map(({ kind }) => kind).join(', ')}, which the writer renders: apply manifests/argocd of this version`,
    );
  const beyond = beyondOf(seen.found, models);
  if (beyond.length > 0)
    problems.push(
      `does not let Argo CD into ${beyond.join(', ')}, where Applications of it lead: add the environment to its destinations (appproject.yaml)`,
    );
  return problems.length > 0
    ? problems.map((problem) => missing(called, problem))
    : [ok(called, `allows what the writer renders, from ${sources.join(', ')}`)];
}

/** Namespaces that a project's destinations leave out. */
const beyondOf = ({ spec }: Item, namespaces: readonly string[]): string[] =>
  namespaces.filter(
    (namespace) =>
      !permitsDestination((spec?.['destinations'] ?? []) as readonly Destination[], { server: HERE, namespace }),
  );

async function setFinding(looker: Looker, shipped: Item): Promise<Finding> {
  const { name } = shipped.metadata;
  const called = `ApplicationSet ${name}`;
  const seen = await applied(looker, `applicationsets/${name}`, called);
  if ('finding' in seen) return seen.finding;
  const conditions = (seen.found.status?.['conditions'] ?? []) as Condition[];
  const error = conditions.find(({ type, status }) => type === 'ErrorOccurred' && status === 'True');
  if (error !== undefined) return missing(called, `makes no Applications: ${error.message ?? 'it gives no reason'}`);
  return keepsWorkloads(seen.found)
    ? ok(called, 'is there, and deletes nothing by itself')
    : warning(
        called,
        'deletes what it made when a folder leaves Git, by a slip as by a retirement: manifests/argocd-guarded (component preserve) has it wait for a person',
      );
}

/** Whether what serves outlives its folder, its Application and its set. */
function keepsWorkloads({ spec }: Item): boolean {
  const { preserveResourcesOnDeletion, applicationsSync = 'sync' } = (spec?.['syncPolicy'] ?? {}) as {
    readonly preserveResourcesOnDeletion?: boolean;
    readonly applicationsSync?: string;
  };
  return preserveResourcesOnDeletion === true && ['create-only', 'create-update'].includes(applicationsSync);
}

/** The controllers by the labels that Argo CD's own manifests and the operator both set. */
async function controllerFindings(looker: Looker): Promise<Finding[]> {
  const name = 'Argo CD';
  const kinds = ['deployments', 'statefulsets'];
  const all: Item[] = [];
  for (const kind of kinds) {
    const seen = await looker.list(
      `/apis/apps/v1/namespaces/${looker.argocd}/${kind}?labelSelector=app.kubernetes.io%2Fpart-of%3Dargocd`,
    );
    if ('refused' in seen) return [warning(name, `its controllers cannot be looked at: ${seen.refused}`)];
    if ('found' in seen) all.push(...seen.found);
  }
  return ['application-controller', 'applicationset-controller'].map((controller) => {
    const found = all.find(({ metadata }) => metadata.name.endsWith(controller));
    if (found === undefined)
      return missing(
        name,
        `no ${controller} is in namespace ${looker.argocd}: enable it in the ArgoCD instance, or name its namespace with --argocd-namespace`,
      );
    const ready = Number(found.status?.['readyReplicas'] ?? 0);
    return ready > 0
      ? ok(name, `${controller} runs`)
      : missing(name, `${controller} has no ready replica: see its pods in ${looker.argocd}`);
  });
}

/** `resource.exclusions` and `resource.inclusions` of argocd-cm: an excluded kind is neither applied nor watched. */
export async function exclusionFindings(looker: Looker, wanted: readonly Kind[]): Promise<Finding[]> {
  const name = 'Argo CD settings';
  const seen = await looker.get(`/api/v1/namespaces/${looker.argocd}/configmaps/argocd-cm`);
  if ('refused' in seen) return [warning(name, `argocd-cm cannot be looked at: ${seen.refused}`)];
  if ('absent' in seen)
    return [warning(name, `argocd-cm is not in ${looker.argocd}, so its resource exclusions are not known`)];
  const { 'resource.exclusions': out, 'resource.inclusions': only } = seen.found.data ?? {};
  const excluded = wanted.filter((kind) => covers(listed(out), kind));
  const included = listed(only);
  const left = included.length === 0 ? [] : wanted.filter((kind) => !covers(included, kind));
  const bad = [...new Set([...excluded, ...left].map(({ kind }) => kind))];
  if (bad.length === 0) return [ok(name, 'no kind that the writer renders is excluded')];
  return [
    missing(
      name,
      `resource.exclusions or resource.inclusions keep Argo CD from ${bad.join(', ')}: take them out in argocd-cm (with the operator: in the ArgoCD instance)`,
    ),
  ];
}

function listed(text: string | undefined): Exclusion[] {
  try {
    const value: unknown = parse(text ?? '');
    return Array.isArray(value) ? (value as Exclusion[]) : [];
  } catch {
    return [];
  }
}

/** The cluster that Argo CD runs in, as our ApplicationSets name it. */
const HERE = 'https://kubernetes.default.svc';

/** A list that is empty or absent covers everything. */
const covers = (list: readonly Exclusion[], { group, kind }: Kind): boolean => {
  const any = (globs: readonly string[] = [], text: string) =>
    globs.length === 0 || globs.some((glob) => globMatches(glob, text));
  return list.some(
    ({ apiGroups, kinds, clusters }) => any(apiGroups, group) && any(kinds, kind) && any(clusters, HERE),
  );
};

/** Namespaces where models run: the destinations of Applications in our project. */
export async function modelNamespaces(looker: Looker): Promise<string[]> {
  const seen = await looker.list(`${API}/${looker.argocd}/applications`);
  if (!('found' in seen)) return [];
  const ours = seen.found.filter(({ spec }) => spec?.['project'] === 'fairway');
  const namespaces = ours.flatMap(
    ({ spec }) => (spec?.['destination'] as { namespace?: string } | undefined)?.namespace ?? [],
  );
  return [...new Set(namespaces)].sort();
}
