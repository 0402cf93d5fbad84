import { FairwayError, hashFields, sha256 } from '@fairway/core';

/**
 * TensorFlow Serving counts versions in positive integers; SAS has model ids and names such as 2.1. A version becomes
 * `<d><mmm><nnn>`: six digits that follow from the model's id, three of the major number, three of the minor one.
 */
export function versionNumber(modelId: string, versionName: string): string | undefined {
  const [, major, minor] = /^(\d{1,3})\.(\d{1,3})$/.exec(versionName) ?? [];
  if (major === undefined || minor === undefined) return undefined;
  const model = 100_000 + (Number.parseInt(sha256(modelId).slice(0, 8), 16) % 900_000);
  return `${model}${major.padStart(3, '0')}${minor.padStart(3, '0')}`;
}

/** The digits of a number that its model has given; undefined when no version of SAS can have that number. */
export const modelDigits = (version: string): string | undefined => /^([1-9]\d{5})\d{6}$/.exec(version)?.[1];

/** Whether versions of this model begin with those digits. */
export const hasDigits = (modelId: string, digits: string): boolean =>
  versionNumber(modelId, '0.0')?.startsWith(digits) ?? false;

/** What an answer is told to: the model, and the workflow process that waits for it, if one does. */
export type SasAddress = { readonly projectId: string; readonly modelId: string; readonly processId?: string };

/** `sas:<projectId>/<modelId>[/<processId>]`: it is kept in the Git history, and only the SAS adapters read it. */
export const addressText = ({ projectId, modelId, processId }: SasAddress): string =>
  `sas:${[projectId, modelId, ...(processId === undefined ? [] : [processId])].join('/')}`;

export function addressOf(text: string): SasAddress | undefined {
  const [projectId, modelId, processId, ...rest] = /^sas:(.+)$/.exec(text)?.[1]?.split('/') ?? [];
  if (projectId === undefined || modelId === undefined || rest.length > 0) return undefined;
  if (![projectId, modelId, processId ?? 'none'].every(isId)) return undefined;
  return { projectId, modelId, ...(processId === undefined ? {} : { processId }) };
}

/** `sas:<projectId>/<modelId>/<version name>`. */
export const originOf = (projectId: string, modelId: string, versionName: string): string =>
  `sas:${projectId}/${modelId}/${versionName}`;

/** One champion decision: another model, version or content is another one. */
export const fingerprintOf = (modelId: string, versionName: string, contentSha256: string): string =>
  `sas-${hashFields([modelId, versionName, contentSha256])}`;

const isId = (id: string): boolean => /^[\w.-]{1,200}$/.test(id) && !/^\.+$/.test(id);

/** Ids become part of paths. */
export function checkId(what: string, id: string): string {
  if (isId(id)) return id;
  throw new FairwayError(
    'registry.unavailable',
    `${what} has the id ${JSON.stringify(id.slice(0, 100))}, which is no id of SAS.`,
    {
      disposition: 'terminal',
    },
  );
}
