import { type Kind, kindKey } from '../kinds.ts';
import { isRecord, type Dict, type KubeObject } from '../objects.ts';
import { refusal } from '../refusal.ts';
import type { LabelSelector } from '../workloads.ts';

export type Matches = (object: KubeObject) => boolean;

/** `a=b,c!=d,e in (x,y),f notin (z),g,!h` as the API's `labelSelector` parameter writes it. */
export function parseLabelSelector(text: string): Matches {
  const tests = splitTop(text).map(parseRequirement);
  return (object) => tests.every((test) => test(object.metadata.labels ?? {}));
}

/** Paths that can be selected beside name and namespace; a real server knows no others. */
const SELECTABLE: Readonly<Record<string, readonly string[]>> = {
  '/Event': [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'reason',
    'type',
  ],
  '/Namespace': ['status.phase'],
  '/Pod': [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'status.phase',
    'status.podIP',
  ],
  '/Secret': ['type'],
  'batch/Job': ['status.successful'],
};

/** `metadata.name=x,status.phase!=Running`: equality on one path each. Throws 400 for a path that the kind does not offer. */
export function parseFieldSelector(text: string, kind: Pick<Kind, 'group' | 'kind'>): Matches {
  const known = ['metadata.name', ...('namespaced' in kind && !kind.namespaced ? [] : ['metadata.namespace'])];
  const selectable = [...known, ...(SELECTABLE[kindKey(kind)] ?? [])];
  const tests = splitTop(text).map((part) => {
    const found = /^([\w.]+)\s*(==|!=|=)\s*(.*)$/.exec(part);
    if (!found)
      throw refusal(
        'BadRequest',
        `The field selector ${JSON.stringify(part)} is not of the form path=value or path!=value.`,
      );
    const [, path = '', operator, value] = found;
    if (!selectable.includes(path))
      throw refusal(
        'BadRequest',
        `"${path}" is not a known field selector: only ${selectable.map((one) => JSON.stringify(one)).join(', ')}`,
      );
    return (object: KubeObject) => (readPath(object, path) === value) === (operator !== '!=');
  });
  return (object) => tests.every((test) => test(object));
}

/** Whether labels satisfy a selector of a workload; an empty selector matches everything, as Kubernetes says. */
export function selects(selector: LabelSelector, labels: Dict = {}): boolean {
  const equal = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return (
    equal &&
    (selector.matchExpressions ?? []).every(({ key, operator, values }) => holds(labels, key, operator, values ?? []))
  );
}

function holds(labels: Dict, key: string, operator: string, values: readonly string[]): boolean {
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      throw refusal(
        'Invalid',
        `${JSON.stringify(operator)} is not an operator of a label selector: use In, NotIn, Exists or DoesNotExist.`,
      );
  }
}

function parseRequirement(part: string): (labels: Dict) => boolean {
  const set = /^([^\s!=]+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(part);
  if (set) {
    const [, key = '', word, list = ''] = set;
    const values = list.split(',').map((value) => value.trim());
    return (labels) => holds(labels, key, word === 'in' ? 'In' : 'NotIn', values);
  }
  const equal = /^([^\s!=]+)\s*(==|!=|=)\s*([^\s=!]*)$/.exec(part);
  if (equal) {
    const [, key = '', operator, value = ''] = equal;
    return (labels) => holds(labels, key, operator === '!=' ? 'NotIn' : 'In', [value]);
  }
  const exists = /^(!?)\s*([^\s!=(),]+)$/.exec(part);
  if (exists) return (labels) => (labels[exists[2] ?? ''] !== undefined) === (exists[1] === '');
  throw refusal('BadRequest', `unable to parse requirement: ${JSON.stringify(part)} is not a label requirement.`);
}

/** Splits at commas that are not inside parentheses. */
function splitTop(text: string): string[] {
  return (text.match(/(?:[^,(]|\([^)]*\))+/g) ?? []).map((part) => part.trim()).filter((part) => part !== '');
}

function readPath(object: KubeObject, path: string): string {
  let value: unknown = object;
  for (const name of path.split('.')) value = isRecord(value) ? value[name] : undefined;
  return typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : '';
}
