import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { Item } from './cluster.ts';

/** An object of the shipped manifests, and the folder that it comes from, such as `services/writer` or `components/route`. */
export type Shipped = { readonly folder: string; readonly object: Item & { apiVersion: string; kind: string } };

/** One verb on one resource in one namespace; none means in all. */
export type Right = {
  readonly namespace?: string;
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
};

/** Every object below a folder of kustomizations, as it stands in its file: overlays' patches are not in it. */
export function shippedObjects(root: string): Shipped[] {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.yaml'))
    .sort();
  return files.flatMap((file) =>
    parseAllDocuments(readFileSync(join(root, file), 'utf8'))
      .map((document) => document.toJS() as Shipped['object'] | null)
      .filter((object) => object?.metadata?.name !== undefined)
      .map((object) => ({ folder: relative('.', dirname(file)), object: object as Shipped['object'] })),
  );
}

type Rule = { readonly apiGroups: string[]; readonly resources: string[]; readonly verbs: string[] };
type Object = {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
} & Readonly<Record<string, unknown>>;

/** What a service account may do by the Roles and ClusterRoles that are bound to it. Throws for a binding to a role that is not there. */
export function rightsOf(objects: readonly Object[], account: string): Right[] {
  return objects
    .filter(({ kind }) => kind === 'RoleBinding' || kind === 'ClusterRoleBinding')
    .filter((binding) => (binding['subjects'] as { name: string }[]).some(({ name }) => name === account))
    .flatMap((binding) => {
      const { kind, name } = binding['roleRef'] as { kind: string; name: string };
      const role = objects.find((object) => object.kind === kind && object.metadata.name === name);
      if (role === undefined) throw new Error(`${binding.metadata.name} binds ${kind} ${name}, which is not there`);
      return ((role['rules'] ?? []) as Rule[]).flatMap((rule) => flat(rule, binding.metadata.namespace));
    });
}

const flat = ({ apiGroups, resources, verbs }: Rule, namespace: string | undefined): Right[] =>
  apiGroups.flatMap((group) =>
    resources.flatMap((resource) =>
      verbs.map((verb) => ({ ...(namespace === undefined ? {} : { namespace }), group, resource, verb })),
    ),
  );
