import { apiVersionOf, type Kind } from '../kinds.ts';
import { REVIEWS } from './reviews.ts';

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
type Group = { readonly name: string; readonly version: string };

/** Groups with the versions of each, in the order of their kinds. */
function groupEntries(kinds: readonly Kind[]) {
  const all: Group[] = [...kinds.map(({ group, version }) => ({ name: group, version })), REVIEWS.group];
  const names = [...new Set(all.map(({ name }) => name))].filter((name) => name !== '');
  return names.map((name) => {
    const versions = [...new Set(all.filter((one) => one.name === name).map(({ version }) => version))];
    const entries = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
    return { name, versions: entries, preferredVersion: entries[0] };
  });
}

function resourceList(kinds: readonly Kind[], groupVersion: string): object | undefined {
  const list = { kind: 'APIResourceList', apiVersion: 'v1', groupVersion };
  if (groupVersion === REVIEWS.groupVersion) return { ...list, resources: REVIEWS.resources };
  const resources = kinds
    .filter((kind) => apiVersionOf(kind) === groupVersion)
    .flatMap((kind) => {
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
      const token = { ...own, name: 'serviceaccounts/token', singularName: '', verbs: ['create'] };
      const log = { ...own, name: 'pods/log', singularName: '', verbs: ['get'] };
      return [
        main,
        ...(kind.status ? [status] : []),
        ...(kind.kind === 'Pod' ? [log] : []),
        ...(kind.kind === 'ServiceAccount' ? [token] : []),
      ];
    });
  return resources.length === 0 ? undefined : { ...list, resources };
}

/** The discovery document at this path, or undefined when it is none. `kubectl` finds kinds and short names here. */
export function discover(kinds: readonly Kind[], path: string, address: string): object | undefined {
  if (path === '/version') return VERSION;
  if (path === '/api') {
    const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress: address }];
    return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs };
  }
  if (path === '/api/v1') return resourceList(kinds, 'v1');
  if (!path.startsWith('/apis')) return undefined;
  const groups = groupEntries(kinds);
  if (path === '/apis') return { kind: 'APIGroupList', apiVersion: 'v1', groups };
  const [, , name = '', version, ...more] = path.split('/');
  if (more.length > 0) return undefined;
  const found = groups.find((group) => group.name === name);
  if (version === undefined) return found && { kind: 'APIGroup', apiVersion: 'v1', ...found };
  return resourceList(kinds, `${name}/${version}`);
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
