import { parse as parseYaml } from 'yaml';
import type { Writer } from '../admission/writer.ts';
import { apiVersionOf, type Kind, qualified } from '../kinds.ts';
import { type Draft, isRecord, type KubeObject } from '../objects.ts';
import { refusal } from '../refusal.ts';
import { jsonPatch } from '../store/json-patch.ts';
import { mergePatch, strategicMerge } from '../store/merge.ts';
import type { Registry, RemoveOptions } from '../store/registry.ts';
import { type Matches, parseFieldSelector, parseLabelSelector } from '../store/selectors.ts';
import { notFound } from '../store/validate.ts';
import { page } from './pages.ts';
import type { Target } from './target.ts';

/** An API call without its transport. */
export type ApiCall = {
  readonly method: string;
  readonly target: Target;
  readonly query: URLSearchParams;
  readonly contentType: string;
  readonly body: Buffer;
  /** The client's own name. */
  readonly agent: string;
};
export type ApiAnswer = { readonly code: number; readonly body: object };
/** Objects to read, and the way to write them. */
export type Objects = { readonly registry: Registry; readonly writer: Writer };

/** Answers every verb but watch and log. Rejects with refusals. */
export async function answerResource(objects: Objects, call: ApiCall): Promise<ApiAnswer> {
  const { registry, writer } = objects;
  const { method, target } = call;
  if (target.name === undefined && ['PUT', 'PATCH'].includes(method)) throw notAllowed();
  switch (method) {
    case 'GET':
      return target.name === undefined ? listObjects(registry, call) : { code: 200, body: find(registry, target) };
    case 'POST':
      return createObject(writer, call);
    case 'PUT':
      return replaceObject(writer, call);
    case 'PATCH':
      return patchObject(objects, call);
    case 'DELETE':
      return target.name === undefined ? removeAll(objects, call) : removeOne(objects, call);
    default:
      throw notAllowed();
  }
}

const notAllowed = () => refusal('MethodNotAllowed', 'the server does not allow this method on the requested resource');

/** The selectors of a list or watch request as one predicate. */
export function selectorOf(kind: Kind, query: URLSearchParams): Matches {
  const labels = parseLabelSelector(query.get('labelSelector') ?? '');
  const fields = parseFieldSelector(query.get('fieldSelector') ?? '', kind);
  return (object) => labels(object) && fields(object);
}

function find(registry: Registry, { kind, namespace = '', name = '' }: Target): KubeObject {
  return registry.get(kind, namespace, name) ?? notFound(kind, name);
}

function listObjects(registry: Registry, { target: { kind, namespace }, query }: ApiCall): ApiAnswer {
  const { items, metadata } = page(registry, registry.list(kind, namespace).filter(selectorOf(kind, query)), query);
  return { code: 200, body: { kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind), metadata, items } };
}

/** The metadata of an answer without the rest; a refusal as it is. */
export function partial({ code, body }: ApiAnswer): ApiAnswer {
  const { kind, metadata, items } = body as KubeObject & { items?: readonly KubeObject[] };
  if (code >= 300 || kind === 'Status') return { code, body };
  const one = (object: KubeObject) => ({ ...META, kind: 'PartialObjectMetadata', metadata: object.metadata });
  if (items === undefined) return { code, body: one(body as KubeObject) };
  return { code, body: { ...META, kind: 'PartialObjectMetadataList', metadata, items: items.map(one) } };
}

const META = { apiVersion: 'meta.k8s.io/v1' };

const managerOf = ({ query, agent }: ApiCall) => query.get('fieldManager') || agent;
const isDryRun = (query: URLSearchParams) => query.getAll('dryRun').includes('All');

async function createObject(writer: Writer, call: ApiCall): Promise<ApiAnswer> {
  const { target, query } = call;
  if (target.name !== undefined) throw notAllowed();
  const draft = inTarget(target, readObject(call));
  return { code: 201, body: await writer.create(target.kind, draft, { dryRun: isDryRun(query) }) };
}

async function replaceObject(writer: Writer, call: ApiCall): Promise<ApiAnswer> {
  const { target, query } = call;
  const draft = inTarget(target, readObject(call));
  const options = { dryRun: isDryRun(query), manager: managerOf(call) };
  return { code: 200, body: await writer.update(target.kind, placeOf(target), () => draft, partOf(target), options) };
}

const placeOf = ({ namespace = '', name = '' }: Target) => ({ namespace, name });
const partOf = ({ subresource }: Target) => (subresource === 'status' ? 'status' : 'all');

async function patchObject({ registry, writer }: Objects, call: ApiCall): Promise<ApiAnswer> {
  const { target, query, contentType } = call;
  const { kind } = target;
  const options = { dryRun: isDryRun(query), manager: managerOf(call) };
  if (contentType === 'application/apply-patch+yaml') return applyObject({ registry, writer }, call);
  if (!PATCH_TYPES.includes(contentType)) throw unknownFormat(PATCH_TYPES.join(', '));
  // A patch is made on the object as it is; only a resourceVersion inside the patch itself is a precondition.
  const patched = (current: KubeObject): Draft => {
    const made = applyPatch(kind, contentType, current, readBody(call));
    if (!isRecord(made) || !isRecord(made['metadata']))
      throw refusal('BadRequest', 'The patch leaves no object with metadata.');
    return inTarget(target, made as unknown as Draft);
  };
  return { code: 200, body: await writer.update(kind, placeOf(target), patched, partOf(target), options) };
}

/** Server-side apply. */
async function applyObject({ registry, writer }: Objects, call: ApiCall): Promise<ApiAnswer> {
  const { target, query } = call;
  const { kind, namespace = '', name = '' } = target;
  const manager = query.get('fieldManager') ?? '';
  if (manager === '') throw noManager();
  const draft = inTarget(target, readObject(call));
  if ('managedFields' in draft.metadata) throw refusal('BadRequest', 'metadata.managedFields must be nil');
  const code = registry.get(kind, namespace, name) ? 200 : 201;
  const applier = { manager, force: query.get('force') === 'true' };
  return { code, body: await writer.apply(kind, draft, applier, { dryRun: isDryRun(query) }) };
}

function noManager(): Error {
  const message = 'Required value: is required for apply patch';
  const causes = [{ reason: 'FieldValueRequired', message, field: 'fieldManager' }];
  const details = { group: 'meta.k8s.io', kind: 'PatchOptions', causes };
  return refusal('Invalid', `PatchOptions.meta.k8s.io "" is invalid: fieldManager: ${message}`, details);
}

function applyPatch(kind: Kind, contentType: string, current: KubeObject, patch: unknown): unknown {
  switch (contentType) {
    case 'application/json-patch+json':
      return jsonPatch(current, patch);
    case 'application/merge-patch+json':
      return mergePatch(current, patch);
    case 'application/strategic-merge-patch+json':
      if (!kind.custom) return strategicMerge(current, patch);
      break;
    default:
  }
  throw unknownFormat('application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml');
}

const PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];

const unknownFormat = (known: string) =>
  refusal(
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${known}`,
  );

/** The object of a request body, with the checks that path and body agree. */
function inTarget({ kind, namespace, name }: Target, draft: Draft): Draft {
  const { metadata } = draft;
  if (draft.kind !== kind.kind || draft.apiVersion !== apiVersionOf(kind)) {
    throw refusal(
      'BadRequest',
      `the object is ${draft.apiVersion}, Kind=${draft.kind}, but the path wants ${apiVersionOf(kind)}, Kind=${kind.kind}`,
    );
  }
  if (name !== undefined && metadata.name !== undefined && metadata.name !== name) {
    throw refusal(
      'BadRequest',
      `the name of the object (${metadata.name}) does not match the name on the URL (${name})`,
    );
  }
  if (namespace !== undefined && metadata.namespace !== undefined && metadata.namespace !== namespace) {
    throw refusal(
      'BadRequest',
      `the namespace of the provided object does not match the namespace sent on the request`,
    );
  }
  if (kind.namespaced && namespace === undefined && metadata.namespace === undefined) {
    throw refusal('BadRequest', `${qualified(kind)} are namespaced: send the request to a namespace`);
  }
  return {
    ...draft,
    metadata: {
      ...metadata,
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
    },
  };
}

/** A JSON body; an empty one is an empty object. Anything else is refused with 400. */
export const parseJson = (body: Buffer): unknown => parseBody(() => JSON.parse(body.toString('utf8') || '{}'));

function readBody({ body, contentType }: ApiCall): unknown {
  return contentType.endsWith('yaml') ? parseBody(() => parseYaml(body.toString('utf8'))) : parseJson(body);
}

function parseBody(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    throw refusal('BadRequest', `the request body cannot be read: ${(error as Error).message}`);
  }
}

const OBJECT_TYPES = ['application/json', 'application/yaml', 'application/apply-patch+yaml'];

function readObject(call: ApiCall): Draft {
  // Some kubectl commands (create namespace …) send protobuf only; apply and client-node send JSON.
  if (!OBJECT_TYPES.includes(call.contentType)) throw unknownFormat(OBJECT_TYPES.join(', '));
  const value = readBody(call);
  if (!isRecord(value)) throw refusal('BadRequest', 'the request body must be an object');
  const { apiVersion = apiVersionOf(call.target.kind), kind = call.target.kind.kind, metadata = {} } = value;
  if (!isRecord(metadata)) throw refusal('BadRequest', 'metadata must be an object');
  return { ...value, apiVersion, kind, metadata } as Draft;
}

function removeOptions({ query, body }: ApiCall): RemoveOptions {
  const options = parseJson(body);
  const given = isRecord(options) ? options : {};
  const grace = query.get('gracePeriodSeconds') ?? given['gracePeriodSeconds'];
  const propagation = query.get('propagationPolicy') ?? given['propagationPolicy'];
  const preconditions = isRecord(given['preconditions']) ? given['preconditions'] : {};
  return {
    dryRun: isDryRun(query) || (Array.isArray(given['dryRun']) && given['dryRun'].includes('All')),
    gracePeriodSeconds: grace === undefined || grace === null ? undefined : Number(grace),
    propagation: ['Foreground', 'Orphan'].includes(String(propagation))
      ? (propagation as 'Foreground' | 'Orphan')
      : 'Background',
    uid: typeof preconditions['uid'] === 'string' ? preconditions['uid'] : undefined,
    resourceVersion:
      typeof preconditions['resourceVersion'] === 'string' ? preconditions['resourceVersion'] : undefined,
  };
}

async function removeOne({ registry, writer }: Objects, call: ApiCall): Promise<ApiAnswer> {
  const { kind, namespace = '', name = '' } = call.target;
  const before = find(registry, call.target);
  const after = await writer.remove(kind, namespace, name, removeOptions(call));
  if (after.metadata.deletionTimestamp !== undefined || kind.kind === 'Pod') return { code: 200, body: after };
  const details = { name, group: kind.group, kind: kind.plural, uid: before.metadata.uid };
  return { code: 200, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details } };
}

async function removeAll({ registry, writer }: Objects, call: ApiCall): Promise<ApiAnswer> {
  const { kind, namespace } = call.target;
  const items = registry.list(kind, namespace).filter(selectorOf(kind, call.query));
  for (const { metadata } of items)
    await writer.remove(kind, metadata.namespace ?? '', metadata.name, removeOptions(call));
  const metadata = { resourceVersion: String(registry.store.version()) };
  return { code: 200, body: { kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind), metadata, items } };
}
