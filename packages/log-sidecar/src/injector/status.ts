import { canonicalJson } from '@fairway/core';
import { STATUS } from './names.ts';
import type { Plan } from './plan.ts';
import { annotationsOf, type Pod } from './pod.ts';

/** What the status annotation holds: what was done, and from which template the agent came. */
export type Status = Plan & { readonly template: string };

export const writeStatus = (status: Status): string => canonicalJson(status);

const label = (value: unknown): boolean =>
  typeof value === 'string' && /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(value);
const port = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65_535;
const oneOf =
  (...options: string[]) =>
  (value: unknown): boolean =>
    options.includes(value as string);

const FIELDS: { readonly [K in keyof Status]: (value: unknown) => boolean } = {
  by: oneOf('argument', 'name'),
  container: label,
  agent: label,
  sidecar: oneOf('native', 'plain'),
  volume: label,
  queue: label,
  listen: port,
  upstream: port,
  admin: port,
  template: (value) => typeof value === 'string' && /^[0-9a-f]{16}$/.test(value),
};

/** What the pod says was injected; undefined: nothing. Anybody may write an annotation, so each field is checked. */
export function readStatus(pod: Pod): { status: Status | undefined } | { problem: string } {
  const text = annotationsOf(pod)[STATUS];
  if (text === undefined) return { status: undefined };
  // Agents of before had the Secret in their environment, and no volume for it.
  const value: Record<string, unknown> = { queue: 'queue', ...parsed(text) };
  const good = Object.entries(FIELDS).every(([key, holds]) => holds(value[key]));
  if (good) return { status: Object.fromEntries(Object.keys(FIELDS).map((key) => [key, value[key]])) as Status };
  return { problem: `${STATUS} is not what the injector wrote: remove it from the pod or its template` };
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
