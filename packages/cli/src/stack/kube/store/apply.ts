import { isDeepStrictEqual } from 'node:util';
import { apiVersionOf, type Kind } from '../kinds.ts';
import { type Draft, type KubeObject, kubeTime, type ManagedFields } from '../objects.ts';
import { refusal } from '../refusal.ts';
import { fieldsOf, type FieldSet, fromFieldsV1, type Lists, spoken, toFieldsV1, valueAt, without } from './fields.ts';
import { threeWayMerge } from './merge.ts';

/** Who writes, and whether what others own is taken from them. */
export type Applier = { readonly manager: string; readonly force: boolean };

type Owner = Pick<ManagedFields, 'manager' | 'operation'> & { readonly fields: FieldSet };

/** Custom kinds have no schema here, so their lists are whole values, as in a CRD that says nothing of them. */
const listsOf = (kind: Kind): Lists => (kind.custom ? 'whole' : 'keyed');

/** The part of an object whose owners are kept: not what the server writes, nor what says which object it is. */
function owned(kind: Kind, { apiVersion: _a, kind: _k, metadata, status, ...rest }: Draft): object {
  const { labels, annotations, ownerReferences, finalizers } = metadata;
  const said = Object.entries({ labels, annotations, ownerReferences, finalizers }).filter(
    ([, value]) => value !== undefined,
  );
  return {
    ...rest,
    ...(said.length > 0 ? { metadata: Object.fromEntries(said) } : {}),
    ...(kind.status || status === undefined ? {} : { status }),
  };
}

const ownersOf = (kind: Kind, current: KubeObject): Owner[] =>
  current.metadata.managedFields?.map(({ manager, operation, fieldsV1 }) => ({
    manager,
    operation,
    fields: fromFieldsV1(fieldsV1),
  })) ?? [
    // Owners are kept from the first apply on; what was there before belongs to whoever wrote it.
    {
      manager: 'before-first-apply',
      operation: 'Update',
      fields: fieldsOf(owned(kind, current), listsOf(kind)),
    },
  ];

const isApplier = ({ manager, operation }: Owner, applier: string): boolean =>
  operation === 'Apply' && manager === applier;

/** What an apply makes of an object, owners included. Throws 409 with every field that another manager has set otherwise. */
export function applied(kind: Kind, current: KubeObject, draft: Draft, applier: Applier, now: number): Draft {
  const lists = listsOf(kind);
  const wanted = owned(kind, draft);
  const mine = fieldsOf(wanted, lists);
  const owners = ownersOf(kind, current);
  const others = owners.filter((owner) => !isApplier(owner, applier.manager));
  const lost = [...mine].filter((path) => !isDeepStrictEqual(valueAt(wanted, path), valueAt(current, path)));
  const taken = others.map((owner) => ({ ...owner, fields: lost.filter((path) => owner.fields.has(path)) }));
  if (!applier.force) checkConflicts(kind, taken);
  const left = others.map((owner) => ({
    ...owner,
    fields: new Set([...owner.fields].filter((path) => !lost.includes(path))),
  }));
  const before = owners.find((owner) => isApplier(owner, applier.manager))?.fields ?? new Set<string>();
  const dropped = [...before].filter((path) => !mine.has(path) && !left.some(({ fields }) => fields.has(path)));
  const merged = (lists === 'keyed' ? threeWayMerge({}, wanted, current) : laidOver(current, wanted)) as Draft;
  // Whole items first: what is inside them is gone then.
  const next = dropped.sort((a, b) => Number(b.endsWith('\n.')) - Number(a.endsWith('\n.'))).reduce(without, merged);
  const all: Owner[] = [...left, { manager: applier.manager, operation: 'Apply', fields: mine }];
  return withOwners(kind, next, all, current.metadata.managedFields, now);
}

/** Objects merge, everything else is replaced. */
function laidOver(live: unknown, wanted: unknown): unknown {
  const both = [live, wanted].every((value) => typeof value === 'object' && value !== null && !Array.isArray(value));
  if (!both) return wanted;
  const out: Record<string, unknown> = { ...(live as object) };
  for (const [key, value] of Object.entries(wanted as object)) out[key] = laidOver(out[key], value);
  return out;
}

function checkConflicts(kind: Kind, taken: readonly (Omit<Owner, 'fields'> & { readonly fields: string[] })[]): void {
  const causes = taken.flatMap(({ manager, operation, fields }) =>
    fields.map((path) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${JSON.stringify(manager)}${operation === 'Update' ? ` using ${apiVersionOf(kind)}` : ''}`,
      field: spoken(path),
    })),
  );
  const [first] = causes;
  if (first === undefined) return;
  const told =
    causes.length === 1
      ? `1 conflict: ${first.message}: ${first.field}`
      : `${causes.length} conflicts: ${causes.map(({ message, field }) => `${message}: ${field}`).join('; ')}`;
  throw refusal('Conflict', `Apply failed with ${told}`, { causes });
}

/** A new object of an applier. */
export const firstApplied = (kind: Kind, draft: Draft, { manager }: Applier, now: number): Draft => {
  const fields = fieldsOf(owned(kind, draft), listsOf(kind));
  return withOwners(kind, draft, [{ manager, operation: 'Apply', fields }], undefined, now);
};

/** Owners after a write that was no apply: what it changed is the writer's, what it removed is nobody's. */
export function ownersAfter(
  kind: Kind,
  current: KubeObject,
  next: KubeObject,
  manager: string,
  now: number,
): readonly ManagedFields[] | undefined {
  if (current.metadata.managedFields === undefined) return undefined;
  const lists = listsOf(kind);
  const [was, is] = [owned(kind, current), owned(kind, next)];
  const present = fieldsOf(is, lists);
  const changed = [...present].filter((path) => !isDeepStrictEqual(valueAt(was, path), valueAt(is, path)));
  const owners = ownersOf(kind, current).map((owner) => ({
    ...owner,
    fields: new Set(
      [...owner.fields].filter((path) => valueAt(is, path) !== undefined && !changed.includes(path)),
    ) as FieldSet,
  }));
  const mine = owners.find((owner) => owner.operation === 'Update' && owner.manager === manager);
  const all = [
    ...owners.filter((owner) => owner !== mine),
    { manager, operation: 'Update' as const, fields: new Set([...(mine?.fields ?? []), ...changed]) },
  ];
  return withOwners(kind, next, all, current.metadata.managedFields, now).metadata.managedFields;
}

/** An entry that says what it said keeps its time, so that a write that changes nothing changes nothing. */
function withOwners(
  kind: Kind,
  draft: Draft,
  owners: readonly Owner[],
  before: readonly ManagedFields[] | undefined,
  now: number,
): Draft {
  const entries = owners
    .filter(({ fields }) => fields.size > 0)
    .map(({ manager, operation, fields }): ManagedFields => {
      const fieldsV1 = toFieldsV1(fields);
      const same = before?.find(
        (entry) =>
          entry.manager === manager && entry.operation === operation && isDeepStrictEqual(entry.fieldsV1, fieldsV1),
      );
      const apiVersion = apiVersionOf(kind);
      return same ?? { manager, operation, apiVersion, time: kubeTime(now), fieldsType: 'FieldsV1', fieldsV1 };
    })
    .sort((a, b) => (`${a.operation} ${a.manager}` < `${b.operation} ${b.manager}` ? -1 : 1));
  return { ...draft, metadata: { ...draft.metadata, managedFields: entries } };
}
