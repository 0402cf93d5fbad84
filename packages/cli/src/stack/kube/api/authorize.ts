import { CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE, ROLE_BINDING } from '../kinds.ts';
import type { RoleBinding, Rule } from '../rights.ts';
import { refusal } from '../refusal.ts';
import type { Registry } from '../store/registry.ts';
import type { Target } from './target.ts';
import { AUTHENTICATED, MASTERS, type User } from './users.ts';

/** What a request wants to do to a resource, as the API's authorizer derives it from method and path. */
export type Attributes = {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
};

const ANYTHING: Rule = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] };
/** What the roles `system:basic-user` and `system:discovery` of every cluster give. */
const BASIC: Rule = {
  verbs: ['create'],
  apiGroups: ['authorization.k8s.io'],
  resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
};

/** The rules that a user has in a namespace, or in the cluster when none is given: RBAC over the stored roles and bindings. */
export function rulesOf(registry: Registry, user: User, namespace?: string): Rule[] {
  const binds = (binding: RoleBinding) =>
    (binding.subjects ?? []).some(({ kind, name, namespace: at }) =>
      kind === 'ServiceAccount'
        ? user.name === `system:serviceaccount:${at ?? binding.metadata.namespace ?? ''}:${name}`
        : kind === 'Group'
          ? user.groups.includes(name)
          : user.name === name,
    );
  const rules = ({ roleRef: { kind, name }, metadata }: RoleBinding): readonly Rule[] =>
    (kind === 'ClusterRole' ? registry.get(CLUSTER_ROLE, '', name) : registry.get(ROLE, metadata.namespace ?? '', name))
      ?.rules ?? [];
  const bindings = [
    ...registry.list(CLUSTER_ROLE_BINDING),
    ...(namespace ? registry.list(ROLE_BINDING, namespace) : []),
  ];
  return [
    ...(user.groups.includes(MASTERS) ? [ANYTHING] : []),
    ...(user.groups.includes(AUTHENTICATED) ? [BASIC] : []),
    ...bindings.filter(binds).flatMap(rules),
  ];
}

export function isAllowed(registry: Registry, user: User, wanted: Attributes): boolean {
  const resource = wanted.subresource ? `${wanted.resource}/${wanted.subresource}` : wanted.resource;
  const has = (list: readonly string[] | undefined, one: string) => list?.some((each) => each === '*' || each === one);
  return rulesOf(registry, user, wanted.namespace).some(
    (rule) =>
      has(rule.verbs, wanted.verb) &&
      has(rule.apiGroups, wanted.group) &&
      has(rule.resources, resource) &&
      (!rule.resourceNames?.length || rule.resourceNames.includes(wanted.name ?? '')),
  );
}

const VERBS: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', PATCH: 'patch' };

export function attributesOf(
  method: string,
  { kind, namespace, name, subresource }: Target,
  watching: boolean,
): Attributes {
  const reading = watching ? 'watch' : name === undefined ? 'list' : 'get';
  const removing = name === undefined ? 'deletecollection' : 'delete';
  return {
    verb: method === 'GET' ? reading : method === 'DELETE' ? removing : (VERBS[method] ?? method.toLowerCase()),
    group: kind.group,
    resource: kind.plural,
    ...(subresource === undefined ? {} : { subresource }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  };
}

/** Throws 403 in the API's words. */
export function authorize(registry: Registry, user: User, wanted: Attributes): void {
  if (isAllowed(registry, user, wanted)) return;
  const { verb, group, resource, subresource, namespace, name } = wanted;
  const what = subresource ? `${resource}/${subresource}` : resource;
  const qualified = group === '' ? resource : `${resource}.${group}`;
  const where = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const message = `${qualified}${name === undefined ? '' : ` "${name}"`} is forbidden: User "${user.name}" cannot ${verb} resource "${what}" in API group "${group}" ${where}`;
  throw refusal('Forbidden', message, { ...(name === undefined ? {} : { name }), group, kind: resource });
}
