import type { Kind } from '../kinds.ts';
import type { Draft, KubeObject } from '../objects.ts';
import type { Applier } from '../store/apply.ts';
import type { Registry, RemoveOptions, WriteOptions } from '../store/registry.ts';
import { notFound } from '../store/validate.ts';
import type { Asker, Chain } from './chain.ts';
import type { AdmissionRequest, Operation } from './matching.ts';

type Options = Pick<WriteOptions, 'dryRun' | 'manager'>;

/** Writes through the admission webhooks: what clients, Argo CD and the makers of pods do. The rest of our own bookkeeping goes past them. */
export type Writer = {
  create(kind: Kind, draft: Draft, options?: Options): Promise<KubeObject>;
  /** `make` turns the object as it is into what shall be; it is asked again when somebody else wrote while webhooks thought. */
  update(
    kind: Kind,
    place: Place,
    make: (current: KubeObject) => Draft,
    part?: 'all' | 'status',
    options?: Options,
  ): Promise<KubeObject>;
  apply(kind: Kind, draft: Draft, applier: Applier, options?: Options): Promise<KubeObject>;
  remove(kind: Kind, namespace: string, name: string, options?: RemoveOptions): Promise<KubeObject>;
};

export type Place = { readonly namespace: string; readonly name: string };

/** As the API server: so often an update is worked out anew before the conflict is told. */
const TRIES = 5;

export function admittedWriter(registry: Registry, chain: Chain, asker: Asker): Writer {
  const create = async (kind: Kind, preview: KubeObject, draft: Draft, options: Options) => {
    const object = await chain.admit(requestOf('CREATE', kind, unborn(preview, draft), undefined, options), asker);
    return registry.create(kind, object ?? draft, { ...options, owners: true });
  };
  /** `next` works out what would be written on the object as it is. */
  const replace = async (
    kind: Kind,
    { namespace, name }: Place,
    next: (current: KubeObject) => KubeObject,
    part: 'all' | 'status',
    options: Options,
  ): Promise<KubeObject> => {
    for (let left = TRIES; ; left--) {
      const current = registry.get(kind, namespace, name) ?? notFound(kind, name);
      const request = requestOf('UPDATE', kind, next(current), current, options, part);
      const object = (await chain.admit(request, asker)) ?? current;
      const { resourceVersion } = current.metadata;
      const moved = registry.get(kind, namespace, name)?.metadata.resourceVersion !== resourceVersion;
      if (moved && left > 1) continue;
      const draft = { ...object, metadata: { ...object.metadata, resourceVersion } };
      return registry.update(kind, draft, part, { ...options, owners: true });
    }
  };
  return {
    async create(kind, draft, options = {}) {
      if (!concerned(chain, 'CREATE', kind, draft.metadata)) return registry.create(kind, draft, options);
      return create(kind, registry.create(kind, draft, { ...options, preview: true }), draft, options);
    },
    async update(kind, place, make, part = 'all', options = {}) {
      const write = (current: KubeObject, preview: boolean) =>
        registry.update(kind, make(current), part, { ...options, preview });
      if (!concerned(chain, 'UPDATE', kind, place, part))
        return write(registry.get(kind, place.namespace, place.name) ?? notFound(kind, place.name), false);
      return replace(kind, place, (current) => write(current, true), part, options);
    },
    async apply(kind, draft, applier, options = {}) {
      const { namespace = '', name = '' } = draft.metadata;
      const operation = registry.get(kind, namespace, name) ? 'UPDATE' : 'CREATE';
      if (!concerned(chain, operation, kind, { namespace })) return registry.apply(kind, draft, applier, options);
      const preview = () => registry.apply(kind, draft, applier, { ...options, preview: true });
      if (operation === 'CREATE') return create(kind, preview(), draft, options);
      return replace(kind, { namespace, name }, preview, 'all', options);
    },
    async remove(kind, namespace, name, options = {}) {
      const old = registry.get(kind, namespace, name);
      if (old && concerned(chain, 'DELETE', kind, { namespace }))
        await chain.admit(requestOf('DELETE', kind, undefined, old, options), asker);
      return registry.remove(kind, namespace, name, options);
    },
  };
}

const concerned = (
  chain: Chain,
  operation: Operation,
  kind: Kind,
  { namespace = '' }: { readonly namespace?: string },
  part: 'all' | 'status' = 'all',
): boolean => chain.concerns({ operation, kind, namespace, ...subresourceOf(part) });

const subresourceOf = (part: 'all' | 'status') => (part === 'status' ? ({ subresource: 'status' } as const) : {});

function requestOf(
  operation: Operation,
  kind: Kind,
  object: KubeObject | undefined,
  old: KubeObject | undefined,
  { dryRun = false }: Options,
  part: 'all' | 'status' = 'all',
): AdmissionRequest {
  const { name = '', namespace = '' } = (object ?? old)?.metadata ?? {};
  const own = kind.group === '' && kind.kind === 'Namespace' ? name : namespace;
  return {
    operation,
    kind,
    namespace: own,
    name,
    dryRun,
    ...subresourceOf(part),
    ...(object ? { object } : {}),
    ...(old ? { old } : {}),
  };
}

/** A new object as webhooks see it: without what the API gives only when it stores it, the name of `generateName` among it. */
function unborn(preview: KubeObject, draft: Draft): KubeObject {
  const { uid: _u, resourceVersion: _v, creationTimestamp: _c, generation: _g, name, ...metadata } = preview.metadata;
  const named = draft.metadata.name === undefined ? {} : { name };
  return { ...preview, metadata: { ...metadata, ...named } as KubeObject['metadata'] };
}
