import { randomUUID } from 'node:crypto';
import type { User } from '../api/users.ts';
import { apiVersionOf } from '../kinds.ts';
import { isRecord } from '../objects.ts';
import type { AdmissionRequest } from './matching.ts';

const VERSION = 'admission.k8s.io/v1';

/** What a webhook said: let in or not, what to change (a JSON patch), and what to warn of. */
export type Verdict = {
  readonly allowed: boolean;
  readonly patch?: unknown;
  readonly warnings: readonly string[];
  readonly status: { readonly code?: number; readonly reason?: string; readonly message?: string };
};

const OPTIONS = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions' } as const;

/** The AdmissionReview of a request, and the uid that the answer has to carry. */
export function reviewOf(request: AdmissionRequest, user: User): { readonly uid: string; readonly body: object } {
  const { operation, kind, subresource, namespace, name, object, old, dryRun } = request;
  const uid = randomUUID();
  const { group, version } = kind;
  const about = { kind: { group, version, kind: kind.kind }, resource: { group, version, resource: kind.plural } };
  const body = {
    kind: 'AdmissionReview',
    apiVersion: VERSION,
    request: {
      uid,
      ...about,
      requestKind: about.kind,
      requestResource: about.resource,
      ...(subresource === undefined ? {} : { subResource: subresource, requestSubResource: subresource }),
      ...(name === '' ? {} : { name }),
      ...(namespace === '' ? {} : { namespace }),
      operation,
      userInfo: { username: user.name, groups: user.groups },
      object: object ? { ...object, apiVersion: apiVersionOf(kind), kind: kind.kind } : null,
      oldObject: old ?? null,
      dryRun,
      options: { kind: OPTIONS[operation], apiVersion: 'meta.k8s.io/v1' },
    },
  };
  return { uid, body };
}

/** Reads an AdmissionReview that came back. Throws an Error that says what is wrong with it. */
export function verdictOf(answer: unknown, uid: string): Verdict {
  const response = isRecord(answer) ? answer['response'] : undefined;
  if (!isRecord(answer) || !isRecord(response)) throw new Error('webhook response was absent');
  const { apiVersion, kind } = answer;
  if (apiVersion !== VERSION || kind !== 'AdmissionReview')
    throw new Error(
      `expected webhook response of ${VERSION}, Kind=AdmissionReview, got ${said(apiVersion)}, Kind=${said(kind)}`,
    );
  if (response['uid'] !== uid) throw new Error(`expected response.uid="${uid}", got "${said(response['uid'])}"`);
  const status = isRecord(response['status']) ? response['status'] : {};
  const warnings = Array.isArray(response['warnings']) ? response['warnings'] : [];
  const patch = patchOf(response);
  return {
    allowed: response['allowed'] === true,
    ...(patch === undefined ? {} : { patch }),
    warnings: warnings.filter((one) => typeof one === 'string'),
    status,
  };
}

const said = (value: unknown): string => (typeof value === 'string' ? value : '');

function patchOf({ patch, patchType }: Readonly<Record<string, unknown>>): unknown {
  if (patch === undefined || patch === null || patch === '') {
    if (patchType === undefined || patchType === null) return undefined;
    throw new Error('webhook returned response.patchType but not response.patch');
  }
  if (patchType !== 'JSONPatch') throw new Error(`webhook returned invalid response.patchType of ${said(patchType)}`);
  if (typeof patch !== 'string') throw new Error('webhook returned a response.patch that is no base64 text');
  try {
    return JSON.parse(Buffer.from(patch, 'base64').toString('utf8'));
  } catch {
    throw new Error('webhook returned a response.patch that is no JSON');
  }
}
