import type { Logger } from '@fairway/core';
import type { JudgeStore, Writer } from '../ports.ts';
import { ACTOR, BEFORE_MERGE, newestVerdict } from './request-retrain.ts';

export type WithdrawNeeds = {
  readonly store: Pick<JudgeStore, 'verdicts'>;
  readonly writer: Pick<Writer, 'changes' | 'withdrawRetrain'>;
  readonly log: Logger;
};

/**
 * Takes back every retraining that waits for its merge though the newest window of its version is healthy again. It looks at
 * what is, so nothing is lost by a crash. A window without enough evidence clears nothing. Answers whether there was one.
 */
export async function withdrawRecovered({ store, writer, log }: WithdrawNeeds): Promise<boolean> {
  let found = false;
  for (const change of await writer.changes({ kind: 'retrain', phase: BEFORE_MERGE.join(',') })) {
    const { id, model, version, environment } = change;
    const verdicts = await store.verdicts({ model, environment });
    const newest = newestVerdict(verdicts.filter(({ window }) => window.version === version));
    if (newest?.state !== 'healthy') continue;
    const reason = `Version ${version} in ${environment} performs well again: all rules hold in ${newest.window.period}.`;
    await writer.withdrawRetrain(id, ACTOR, reason);
    log.info({ model, change: id, period: newest.window.period }, 'retraining withdrawn');
    found = true;
  }
  return found;
}
