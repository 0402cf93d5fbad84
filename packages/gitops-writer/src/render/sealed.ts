import { changeId } from '@fairway/core';
import { type HashedFile, intentHash } from './intent.ts';
import type { Trailers } from './trailers.ts';

/** A rollback or retirement as its own commit tells it. */
export type Sealed =
  | {
      readonly kind: 'rollback';
      readonly change: string;
      readonly model: string;
      readonly version: string;
      readonly digest: string;
      readonly environment: string;
      readonly actor: string;
      readonly dedupeKey: string;
      readonly intent: string;
      /** The commit whose folder is put back. */
      readonly restores: string;
      readonly bad: { readonly version: string; readonly digest: string };
    }
  | {
      readonly kind: 'retire';
      readonly change: string;
      readonly model: string;
      readonly version: string;
      readonly digest: string;
      readonly environment: string;
      readonly actor: string;
      readonly dedupeKey: string;
      readonly intent: string;
    };

export type SealedProof = { readonly sealed?: Sealed; readonly problems: readonly string[] };

/** What kind of change the trailers of a commit tell of; undefined when they tell of none. */
export function kindOf(trailers: Trailers): 'deploy' | 'retrain' | 'rollback' | 'retire' | undefined {
  if (!trailers.has('Change')) return undefined;
  if (trailers.has('Restores')) return 'rollback';
  if (trailers.has('Retires')) return 'retire';
  return trailers.has('Snapshot') ? 'retrain' : 'deploy';
}

/**
 * Whether trailers that carry their own seal (those of a rollback or a retirement) agree with themselves and with the
 * environment's files after it.
 */
export function proveSealed(trailers: Trailers, files: readonly HashedFile[]): SealedProof {
  const kind = kindOf(trailers);
  const get = (name: string) => trailers.get(name) ?? '';
  const problems: string[] = [];
  const subject = [...trailers]
    .filter(([name]) => name !== 'Intent')
    .map(([name, value]) => [`Fairway-${name}`, value]);
  const intent = intentHash(Object.fromEntries(subject), files);
  if (get('Intent') !== intent)
    problems.push('The intent hash does not fit the trailers and files: they are not those that were asked for.');
  const nothing = kind === 'retire' && !trailers.has('Version');
  const [model, environment] = [get('Model'), get('Environment')];
  const [version, digest] = nothing ? ['0', ''] : [get('Version'), get('Digest')];
  const change = get('Change');
  const asked = requestOf(get('Requested-By'), (event) =>
    kind === undefined ? false : changeId({ kind, model, version, digest, environment, event }) === change,
  );
  if (asked === undefined)
    return { problems: [...problems, `Nothing that Fairway-Requested-By says leads to change ${change}.`] };
  const common = { change, model, version, digest, environment, ...asked, intent };
  if (kind !== 'rollback') {
    if (get('Retires') !== `${model}/${environment}`) problems.push('Fairway-Retires names another environment.');
    return { sealed: { kind: 'retire', ...common }, problems };
  }
  const [bad = '', badDigest = ''] = get('Quarantines').split(' ');
  return {
    sealed: { kind, ...common, restores: get('Restores'), bad: { version: bad, digest: badDigest } },
    problems,
  };
}

/** `<actor> as <dedupe key>`: either may hold the separator, and only the right key leads to the change. */
function requestOf(
  said: string,
  leads: (dedupeKey: string) => boolean,
): { readonly actor: string; readonly dedupeKey: string } | undefined {
  for (let at = said.indexOf(' as '); at >= 0; at = said.indexOf(' as ', at + 1)) {
    const dedupeKey = said.slice(at + 4);
    if (leads(dedupeKey)) return { actor: said.slice(0, at), dedupeKey };
  }
  return undefined;
}
