import { redact } from '@fairway/core';
import type { Application, HookWord } from '../../ports.ts';
import { smokeJobName } from '../../render/paths.ts';
import { ANNOTATION } from '../../render/workload.ts';
import type { LookContext } from './look.ts';
import type { Objection } from './objection.ts';

/**
 * A failed sync in the words of the golden cases, where it was they that failed: Argo CD only says that a task did, and
 * the Job's pod has left which case and why. `stamp`: the change that the folder was rendered for.
 */
export async function toldByGoldenCases(
  objection: Objection | undefined,
  { operation }: Application,
  stamp: string,
  context: LookContext,
): Promise<Objection | undefined> {
  const hook = operation?.failedHooks?.find(({ kind, name }) => kind === 'Job' && name === smokeJobName(stamp));
  if (objection?.state !== 'sync-failed' || hook === undefined) return objection;
  const why = (await lastWord(hook, stamp, context)) ?? withoutWord(hook);
  return { ...objection, reason: `The golden cases failed: ${why}` };
}

const withoutWord = ({ namespace, name, message }: HookWord): string =>
  `Argo CD says ${JSON.stringify(message)} of Job ${name}; its log says more: kubectl logs --namespace ${namespace} job/${name}`;

const MOST = 600;

/** The Job may be gone, or its pods may not be readable; then the word of Argo CD has to do. */
async function lastWord({ namespace }: HookWord, stamp: string, context: LookContext): Promise<string | undefined> {
  try {
    const pods = await context.cluster.pods(namespace, { [`${ANNOTATION}/smoke`]: stamp });
    const said = pods.flatMap(({ lastWords = [] }) => lastWords).at(-1);
    return said === undefined ? undefined : redact(said).replaceAll(/\s+/g, ' ').trim().slice(0, MOST);
  } catch (error) {
    context.log.warn({ namespace, reason: (error as Error).message }, 'why golden cases failed cannot be read');
    return undefined;
  }
}
