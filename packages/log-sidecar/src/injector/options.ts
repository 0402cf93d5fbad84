import { checkName, choice, integer, type Reader } from '@fairway/core';
import { ENVIRONMENT } from '../config.ts';
import { INJECT, OURS, shown, STATUS } from './names.ts';
import type { Dict, PortRef } from './pod.ts';

/** What a pod says about its agent, by annotations `fairway.dev/…`; docs/injector.md tells what each means. */
export type Options = {
  readonly model?: string;
  readonly environment?: string;
  readonly container?: string;
  readonly port?: PortRef;
  readonly 'listen-port'?: number;
  readonly 'upstream-port'?: number;
  readonly 'admin-port'?: number;
  readonly sidecar?: 'native' | 'plain';
  readonly 'queue-secret'?: string;
  /** MiB. */
  readonly 'memory-limit'?: number;
  /** Settings of the agent that are named as they are. */
  readonly agent: Dict;
};

type Fields = Required<Omit<Options, 'agent'>>;

const MIN_MEMORY_MIB = 128;
const MAX_MEMORY_MIB = 4096;
/** Below, a process without privileges may not listen. */
export const FIRST_FREE_PORT = 1024;

const given =
  <T>(read: (raw: string) => { value: T } | { problem: string }): Reader<T> =>
  (raw) =>
    read(raw ?? '');

const matching = (pattern: RegExp, problem: string): Reader<string> =>
  given((raw) => (pattern.test(raw) ? { value: raw } : { problem }));

const modelName: Reader<string> = given((raw) => {
  try {
    return { value: checkName('Name', raw) };
  } catch {
    return { problem: 'must be 1 to 63 lower-case letters, digits and hyphens' };
  }
});

const portRef: Reader<PortRef> = given<PortRef>((raw) => {
  if (/^\d+$/.test(raw)) return integer('', { min: 1, max: 65_535 }).read(raw);
  const isName = raw.length <= 15 && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(raw);
  return isName ? { value: raw } : { problem: 'must be the number or the name of a port' };
});

const freePort = integer('', { min: FIRST_FREE_PORT, max: 65_535 }).read;

const memory: Reader<number> = given((raw) => {
  const [, digits, unit] = /^(\d{1,7})(Mi|Gi)$/.exec(raw) ?? [];
  const mib = Number(digits) * (unit === 'Gi' ? 1024 : 1);
  return mib >= MIN_MEMORY_MIB && mib <= MAX_MEMORY_MIB
    ? { value: mib }
    : { problem: `must be ${MIN_MEMORY_MIB}Mi to ${MAX_MEMORY_MIB / 1024}Gi` };
});

const READERS: { readonly [K in keyof Fields]: Reader<Fields[K]> } = {
  model: modelName,
  environment: modelName,
  container: matching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be the name of a container'),
  port: portRef,
  'listen-port': freePort,
  'upstream-port': integer('', { min: 1, max: 65_535 }).read,
  'admin-port': freePort,
  sidecar: choice('', ['native', 'plain']).read,
  'queue-secret': matching(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'must be the name of a Secret'),
  'memory-limit': memory,
};

/** Annotation → setting of the agent, checked by the agent's own reader. A new setting of the agent is one line here. */
const AGENT_SETTINGS: Readonly<Record<string, keyof typeof ENVIRONMENT>> = {
  'body-bytes': 'CAPTURE_BODY_BYTES',
  'grpc-listen-port': 'GRPC_LISTEN_PORT',
  'grpc-upstream': 'GRPC_UPSTREAM',
  'log-level': 'LOG_LEVEL',
  redact: 'CAPTURE_REDACT',
  sampling: 'CAPTURE_SAMPLING',
  'trust-event-time': 'TRUST_EVENT_TIME',
};

/** Set by others of us on pods; they say nothing about the agent. */
const PASSIVE = new Set([INJECT, STATUS, ...['change', 'version', 'digest'].map((name) => `${OURS}${name}`)]);

/**
 * Every annotation of ours, checked; or what is wrong with each. An unknown one is wrong as well: a misspelt name must not
 * quietly leave a pod with less than its author asked for.
 */
export function readOptions(annotations: Dict): { options: Options } | { problems: string[] } {
  const problems: string[] = [];
  const fields: Record<string, unknown> = {};
  const agent: Record<string, string> = {};
  const ours = Object.entries(annotations).filter(([name]) => name.startsWith(OURS) && !PASSIVE.has(name));
  for (const [name, raw] of ours.sort(([a], [b]) => (a < b ? -1 : 1))) {
    const key = name.slice(OURS.length);
    const setting = Object.hasOwn(AGENT_SETTINGS, key) ? AGENT_SETTINGS[key] : undefined;
    const read = setting === undefined ? readerOf(key) : ENVIRONMENT[setting].read;
    const result = raw === '' ? { problem: 'must not be empty' } : (read?.(raw) ?? { problem: 'is not known' });
    if ('problem' in result) problems.push(`${shown(name).slice(1, -1)} ${shown(raw)} ${result.problem}`);
    else if (setting === undefined) fields[key] = result.value;
    else agent[setting] = raw;
  }
  return problems.length > 0 ? { problems } : { options: { ...fields, agent } };
}

const readerOf = (key: string): Reader<unknown> | undefined =>
  Object.hasOwn(READERS, key) ? READERS[key as keyof Fields] : undefined;
