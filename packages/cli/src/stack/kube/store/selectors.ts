import { isRecord, type Dict, type KubeObject } from '../objects.ts';
import { refusal } from '../refusal.ts';
import type { LabelSelector } from '../workloads.ts';

export type Matches = (object: KubeObject) => boolean;

/** `a=b,c!=d,e in (x,y),f notin (z),g,!h` as the API's `labelSelector` parameter writes it. */
export function parseLabelSelector(text: string): Matches {
  const tests = splitTop(text).map(parseRequirement);
  return (object) => tests.every((test) => test(object.metadata.labels ?? {}));
}

/** `metadata.name=x,status.phase!=Running`: equality on one path each. */
export function parseFieldSelector(text: string): Matches {
  const tests = splitTop(text).map((part) => {
    const found = /^([\w.]+)\s*(==|!=|=)\s*(.*)$/.exec(part);
    if (!found)
      throw refusal(
        'BadRequest',
        `The field selector ${JSON.stringify(part)} is not of the form path=value or path!=value.`,
      );
    const [, path = '', operator, value] = found;
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
