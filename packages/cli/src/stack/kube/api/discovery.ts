import { apiVersionOf, KINDS, type Kind } from '../kinds.ts';

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const groupVersions = [
  ...new Map(KINDS.filter(({ group }) => group !== '').map((kind) => [apiVersionOf(kind), kind])).values(),
];

const groupEntry = (kind: Kind) => {
  const version = { groupVersion: apiVersionOf(kind), version: kind.version };
  return { name: kind.group, versions: [version], preferredVersion: version };
};

function resourceList(groupVersion: string): object {
  const resources = KINDS.filter((kind) => apiVersionOf(kind) === groupVersion).flatMap((kind) => {
    const own = {
      name: kind.plural,
      singularName: kind.kind.toLowerCase(),
      namespaced: kind.namespaced,
      kind: kind.kind,
    };
    const short = kind.shortNames.length > 0 ? { shortNames: kind.shortNames } : {};
    const categories = ['Pod', 'Service', 'Deployment', 'ReplicaSet', 'Job'].includes(kind.kind)
      ? { categories: ['all'] }
      : {};
    const main = { ...own, verbs: VERBS, ...short, ...categories };
    const status = { ...own, name: `${kind.plural}/status`, singularName: '', verbs: ['get', 'patch', 'update'] };
    const log = { ...own, name: 'pods/log', singularName: '', verbs: ['get'] };
    return [main, ...(kind.status ? [status] : []), ...(kind.kind === 'Pod' ? [log] : [])];
  });
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources };
}

/** The discovery document at this path, or undefined when it is none. `kubectl` finds kinds and short names here. */
export function discover(path: string, address: string): object | undefined {
  if (path === '/version') return VERSION;
  if (path === '/api') {
    const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress: address }];
    return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs };
  }
  if (path === '/api/v1') return resourceList('v1');
  if (path === '/apis') return { kind: 'APIGroupList', apiVersion: 'v1', groups: groupVersions.map(groupEntry) };
  const found = groupVersions.find((kind) => path === `/apis/${kind.group}` || path === `/apis/${apiVersionOf(kind)}`);
  if (!found) return undefined;
  return path === `/apis/${found.group}`
    ? { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(found) }
    : resourceList(apiVersionOf(found));
}

/** The behaviour we follow is that of Kubernetes 1.35. */
const VERSION = {
  major: '1',
  minor: '35',
  gitVersion: 'v1.35.0+fairway',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: 'linux/amd64',
};
