import { FairwayError } from '@fairway/core';
import { inject, readPod, type Surroundings, warningsOf } from '@fairway/log-sidecar';

/** What is said about an object, for a person. */
export type Note = { readonly about: string; readonly text: string };
type Injected = { readonly object: unknown; readonly notes: readonly Note[] };

type Fields = Record<string, unknown>;

/** Kind → where its pod template lies; a Pod is its own. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  Pod: [],
  PodTemplate: ['template'],
  ReplicationController: ['spec', 'template'],
  ReplicaSet: ['spec', 'template'],
  Deployment: ['spec', 'template'],
  DeploymentConfig: ['spec', 'template'],
  Rollout: ['spec', 'template'],
  StatefulSet: ['spec', 'template'],
  DaemonSet: ['spec', 'template'],
  Job: ['spec', 'template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
};

/** An object with the agent in its pods, as the webhook would put it there; what has no pods stays as it is. */
export function injectInto(object: unknown, around: Omit<Surroundings, 'namespace'>, namespace: string): Injected {
  if (!isRecord(object) || typeof object['kind'] !== 'string') throw wrong('A document', 'it has no kind');
  const { kind, items } = object;
  if (kind.endsWith('List') && Array.isArray(items)) {
    const done = items.map((item: unknown) => injectInto(item, around, namespace));
    return { object: { ...object, items: done.map((one) => one.object) }, notes: done.flatMap(({ notes }) => notes) };
  }
  const path = Object.hasOwn(TEMPLATES, kind) ? TEMPLATES[kind] : undefined;
  if (path === undefined) return { object, notes: [] };
  const metadata = isRecord(object['metadata']) ? object['metadata'] : {};
  const about = `${kind} ${nameOf(metadata)}`;
  const place = typeof metadata['namespace'] === 'string' ? metadata['namespace'] : namespace;
  return injectAt(object, path, about, { ...around, namespace: place });
}

function injectAt(object: Fields, path: readonly string[], about: string, surroundings: Surroundings): Injected {
  const template = path.reduce<unknown>((value, key) => (isRecord(value) ? value[key] : undefined), object);
  const read = readPod(template, path.join('.'));
  if ('problem' in read) throw wrong(about, read.problem);
  const injection = inject(read.pod, surroundings);
  const { outcome, pod } = injection;
  const texts = outcome in SAID ? [SAID[outcome as keyof typeof SAID]] : warningsOf(injection);
  return { object: replaced(object, path, pod), notes: texts.map((text) => ({ about, text })) };
}

const SAID = {
  ignored: 'Left alone: its label fairway.dev/inject is not "true", or its annotation of that name is "false".',
  present: 'Left alone: it has its agent.',
};

function replaced(object: Fields, [key, ...rest]: readonly string[], value: unknown): unknown {
  return key === undefined ? value : { ...object, [key]: replaced(object[key] as Fields, rest, value) };
}

/** From whoever wrote the file: nothing of it may steer the terminal. */
function nameOf({ name, generateName }: Fields): string {
  const text =
    typeof name === 'string' ? name : typeof generateName === 'string' ? `${generateName}*` : 'without a name';
  return text.slice(0, 260).replaceAll(/\p{C}/gu, '\uFFFD');
}

const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const wrong = (about: string, problem: string): FairwayError =>
  new FairwayError('input.invalid', `${about} cannot be injected into: ${problem}.`);
