import type { Pod } from './pod.ts';

/** What is wrong with a value at a path, as a sentence without its point; undefined: nothing. */
type Check = (value: unknown, path: string) => string | undefined;

/**
 * A value of unknown shape as a Pod, or what keeps it from being one. The API server has checked the types before it calls a
 * webhook; a file has been checked by nobody.
 */
export function readPod(value: unknown, path = ''): { readonly pod: Pod } | { readonly problem: string } {
  const problem = POD(value, path);
  return problem === undefined ? { pod: value as Pod } : { problem };
}

const text: Check = (value, path) => (typeof value === 'string' ? undefined : `${path} must be a text`);
const flag: Check = (value, path) => (typeof value === 'boolean' ? undefined : `${path} must be true or false`);
const number: Check = (value, path) => (Number.isInteger(value) ? undefined : `${path} must be a whole number`);
const portRef: Check = (value, path) =>
  typeof value === 'string' || Number.isInteger(value) ? undefined : `${path} must be the number or the name of a port`;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const first = (problems: Iterable<string | undefined>): string | undefined => {
  for (const problem of problems) if (problem !== undefined) return problem;
  return undefined;
};

const below = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

/** An object with these fields; null counts as not there, other fields are not looked at. */
const object =
  (required: Readonly<Record<string, Check>>, optional: Readonly<Record<string, Check>> = {}): Check =>
  (value, path) => {
    if (!isRecord(value)) return `${path === '' ? 'it' : path} must be an object`;
    const given = Object.entries(optional).filter(([key]) => value[key] !== undefined && value[key] !== null);
    return first([...Object.entries(required), ...given].map(([key, check]) => check(value[key], below(path, key))));
  };

const each =
  (check: Check): Check =>
  (value, path) =>
    Array.isArray(value)
      ? first(value.map((item, index) => check(item, `${path}[${index}]`)))
      : `${path} must be a list`;

const dict: Check = (value, path) =>
  isRecord(value)
    ? first(Object.entries(value).map(([key, item]) => text(item, `${path}[${JSON.stringify(key)}]`)))
    : `${path} must be an object`;

const withPort = object({ port: portRef });
const handler = object({}, { httpGet: withPort, tcpSocket: withPort });

const container = object(
  { name: text },
  {
    image: text,
    command: each(text),
    args: each(text),
    env: each(object({ name: text }, { value: text })),
    ports: each(object({ containerPort: number }, { name: text, protocol: text })),
    volumeMounts: each(object({ name: text, mountPath: text })),
    startupProbe: handler,
    readinessProbe: handler,
    livenessProbe: handler,
    lifecycle: object({}, { postStart: handler, preStop: handler }),
  },
);

const some =
  (check: Check): Check =>
  (value, path) =>
    Array.isArray(value) && value.length === 0 ? `${path} must not be empty` : each(check)(value, path);

const POD = object(
  {
    spec: object(
      { containers: some(container) },
      {
        initContainers: each(container),
        volumes: each(object({ name: text })),
        hostNetwork: flag,
        restartPolicy: text,
        nodeSelector: dict,
        os: object({}, { name: text }),
      },
    ),
  },
  { metadata: object({}, { name: text, generateName: text, namespace: text, labels: dict, annotations: dict }) },
);
