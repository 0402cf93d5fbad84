import { isRecord } from '../objects.ts';
import { refusal } from '../refusal.ts';
import type { Registry } from '../store/registry.ts';
import { type Attributes, authorize, isAllowed, rulesOf } from './authorize.ts';
import { type ApiAnswer, parseJson } from './resources.ts';
import type { User } from './users.ts';

const GROUP = 'authorization.k8s.io';
const PATH = `/apis/${GROUP}/v1/`;

/** What the API is asked about rights; nothing of it is stored. */
export const REVIEWS = {
  groupVersion: `${GROUP}/v1`,
  group: { name: GROUP, version: 'v1' },
  resources: ['SelfSubjectAccessReview', 'SelfSubjectRulesReview', 'SubjectAccessReview'].map((kind) => ({
    name: `${kind.toLowerCase()}s`,
    singularName: '',
    namespaced: false,
    kind,
    verbs: ['create'],
  })),
};

/** Answers a review, or undefined when the path is none. */
export function answerReview(registry: Registry, user: User, path: string, body: Buffer): ApiAnswer | undefined {
  if (!path.startsWith(PATH)) return undefined;
  const resource = path.slice(PATH.length);
  const found = REVIEWS.resources.find(({ name }) => name === resource);
  if (!found) return undefined;
  authorize(registry, user, { verb: 'create', group: GROUP, resource });
  const review = parseJson(body);
  const spec = isRecord(review) && isRecord(review['spec']) ? review['spec'] : {};
  const status =
    found.kind === 'SelfSubjectRulesReview'
      ? rules(registry, user, spec)
      : access(registry, found.kind === 'SubjectAccessReview' ? subject(spec) : user, spec);
  return { code: 201, body: { kind: found.kind, apiVersion: REVIEWS.groupVersion, metadata: {}, spec, status } };
}

type Spec = Readonly<Record<string, unknown>>;

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function subject(spec: Spec): User {
  const groups = Array.isArray(spec['groups']) ? (spec['groups'] as unknown[]).map(text) : [];
  const name = text(spec['user']);
  if (name === '' && groups.length === 0)
    throw refusal(
      'Invalid',
      'SubjectAccessReview is invalid: spec.user: Invalid value: "": at least one of user or group must be specified',
    );
  return { name, groups };
}

function access(registry: Registry, user: User, spec: Spec): object {
  const wanted = isRecord(spec['resourceAttributes']) ? spec['resourceAttributes'] : {};
  const namespace = text(wanted['namespace']);
  const attributes: Attributes = {
    verb: text(wanted['verb']),
    group: text(wanted['group']),
    resource: text(wanted['resource']),
    subresource: text(wanted['subresource']),
    name: text(wanted['name']),
    ...(namespace === '' ? {} : { namespace }),
  };
  return { allowed: isAllowed(registry, user, attributes) };
}

function rules(registry: Registry, user: User, spec: Spec): object {
  const namespace = text(spec['namespace']);
  if (namespace === '') throw refusal('BadRequest', 'no namespace on request');
  return { resourceRules: rulesOf(registry, user, namespace), nonResourceRules: [], incomplete: false };
}
