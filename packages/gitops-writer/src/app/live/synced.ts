import type { Application, Relation, ResourceWord, SyncWindow } from '../../ports.ts';
import type { Objection } from './objection.ts';
import { blockingWindow } from './sync-window.ts';

/**
 * `strict`: the Application as a whole is Synced. `own-resources`: it may be OutOfSync because of resources that Fairway
 * does not render, as long as each that it does render is Synced.
 */
export type SyncRule = 'strict' | 'own-resources';

/** `optional`: not every environment has it. */
export type OwnResource = Pick<ResourceWord, 'group' | 'kind' | 'namespace' | 'name'> & { readonly optional?: true };

export type SyncFacts = {
  readonly rule: SyncRule;
  /** What the change renders. */
  readonly own: readonly OwnResource[];
  /** Relation of what the last operation applied to the merge commit. */
  readonly applied: Relation | undefined;
  readonly windows: readonly SyncWindow[];
  /** ms since the epoch. */
  readonly now: number;
};

/** Condition 5: what runs is what Git says. Tells drift after our sync apart from a sync that is still to come. */
export function synced(application: Application, facts: SyncFacts): Objection | undefined {
  const { syncStatus, operation, resources } = application;
  if (syncStatus === 'Synced') return undefined;
  if (syncStatus === 'Unknown') return { state: 'unknown', reason: 'Argo CD says Unknown.', stale: true };
  const ownSynced = facts.own.length > 0 && facts.own.every((own) => isSynced(own, resources));
  if (ownSynced && facts.rule === 'own-resources') return undefined;
  if (operation?.phase === 'Succeeded' && facts.applied?.kind === 'contains')
    return { state: 'drifted', reason: drift(resources, ownSynced) };
  return toCome(application, facts);
}

/** A resource that `status.resources` does not list, or lists without a status, is not Synced. */
function isSynced(own: OwnResource, resources: readonly ResourceWord[]): boolean {
  const word = resources.find((one) => isSame(own, one));
  return word === undefined ? own.optional === true : word.status === 'Synced';
}

const isSame = (own: OwnResource, word: ResourceWord): boolean =>
  own.group === word.group && own.kind === word.kind && own.namespace === word.namespace && own.name === word.name;

const SHOWN = 3;

function drift(resources: readonly ResourceWord[], ownSynced: boolean): string {
  const names = resources.filter(({ status }) => status === 'OutOfSync').map(({ kind, name }) => `${kind} ${name}`);
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  const what = names.length === 0 ? 'what runs' : `${names.slice(0, SHOWN).join(', ')}${more}`;
  const whose = ownSynced ? ' Fairway renders none of them; SYNC_RULE=own-resources leaves them out of the proof.' : '';
  return `Argo CD has applied the change, and ${what} differs from Git since.${whose}`;
}

/** OutOfSync before our sync: why there is none yet. */
function toCome(application: Application, { windows, now }: SyncFacts): Objection {
  const { autoSync, name } = application;
  if (!autoSync) {
    const reason = `Auto-sync is off for Argo CD Application ${name}: somebody has to sync it.`;
    return { state: 'waiting-for-sync', reason };
  }
  const blocked = blockingWindow(application, windows, now);
  if (blocked !== undefined) return { state: 'blocked-by-sync-window', reason: blocked };
  return { state: 'waiting-for-sync', reason: 'Argo CD sees the change and has not begun to apply it.' };
}
