import { apply, call, type Reply, type World } from '../conformance/kube/world.ts';
import type { KubeObject } from './render.ts';
import { title } from './schema.ts';

type Resource = { readonly name: string; readonly kind: string; readonly namespaced: boolean };

/** What came of applying: objects that are there now, and what was said of those that are not, or not quite. */
export type Applied = { readonly done: readonly Reply[]; readonly problems: readonly string[] };

/** Server-side apply of rendered objects as one manager, into namespaces that are made where they lack. `into`: the namespace of those that name none. */
export async function applyAll(
  world: Pick<World, 'config'>,
  objects: readonly KubeObject[],
  into = 'default',
): Promise<Applied> {
  for (const name of new Set(objects.map(({ metadata }) => metadata.namespace ?? into)))
    await call(world, 'POST', '/api/v1/namespaces', { body: { metadata: { name } } });
  const done: Reply[] = [];
  const problems: string[] = [];
  const served = discovery(world);
  const first = ({ kind }: KubeObject) => (kind === 'Namespace' ? 0 : 1);
  for (const object of [...objects].sort((a, b) => first(a) - first(b))) {
    const collection = await collectionOf(served, object, into);
    if (collection === undefined) {
      problems.push(`${title(object)}: ${object.apiVersion} ${object.kind} is not served`);
      continue;
    }
    const answer = await apply(world, collection, object, 'fieldManager=install&force=true');
    const warning = answer.headers['warning'];
    if (answer.status < 300) done.push(answer);
    else problems.push(`${title(object)}: ${String(answer.body['message'])}`);
    if (warning !== undefined) problems.push(`${title(object)}: warning: ${String(warning)}`);
  }
  return { done, problems };
}

type Served = (root: string) => Promise<readonly Resource[]>;

/** What each group and version serves, asked once. */
function discovery(world: Pick<World, 'config'>): Served {
  const known = new Map<string, Promise<readonly Resource[]>>();
  const ask = async (root: string) => {
    const { status, body } = await call(world, 'GET', root);
    return status === 200 ? (body['resources'] as Resource[]) : [];
  };
  return (root) => {
    const asked = known.get(root) ?? ask(root);
    known.set(root, asked);
    return asked;
  };
}

async function collectionOf(served: Served, { apiVersion, kind, metadata }: KubeObject, into: string) {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const found = (await served(root)).find((one) => one.kind === kind && !one.name.includes('/'));
  if (found === undefined) return undefined;
  return found.namespaced ? `${root}/namespaces/${metadata.namespace ?? into}/${found.name}` : `${root}/${found.name}`;
}

/** What a version of Kubernetes lacks of what we ship, and how it says so. */
const LACKS: readonly { readonly before: number; readonly said: RegExp; readonly why: string }[] = [
  { before: 21, said: /policy\/v1 PodDisruptionBudget is not served$/, why: 'policy/v1 came with 1.21' },
  { before: 23, said: /autoscaling\/v2 HorizontalPodAutoscaler is not served$/, why: 'autoscaling/v2 came with 1.23' },
  {
    before: 29,
    said: /initContainers.*\.restartPolicy: field not declared in schema/,
    why: 'native sidecars came with 1.29',
  },
  {
    before: 26,
    said: /spec\.unhealthyPodEvictionPolicy: field not declared in schema/,
    why: 'unhealthyPodEvictionPolicy came with 1.26',
  },
  { before: 25, said: /spec\.podFailurePolicy: field not declared in schema/, why: 'podFailurePolicy came with 1.25' },
];

/** The problems that the server's version does not explain. */
export async function unexplained(world: Pick<World, 'config'>, problems: readonly string[]): Promise<string[]> {
  const { body } = await call(world, 'GET', '/version');
  const minor = Number.parseInt(String(body['minor']), 10);
  const known = LACKS.filter(({ before }) => minor < before);
  return problems.filter((problem) => !known.some(({ said }) => said.test(problem)));
}
