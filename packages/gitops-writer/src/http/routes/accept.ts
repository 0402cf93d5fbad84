import type { Accepted } from '../../ports.ts';
import type { ApiContext } from '../context.ts';
import type { Caller, Reply } from '../route.ts';

export const MIB = 2 ** 20;

/** 202 for a new change, 200 for one that is known; either way somebody looks at it at once. */
export async function accept(
  { created, change }: Accepted,
  { name }: Caller,
  { enqueue, wake, log }: ApiContext,
): Promise<Reply> {
  const { id, kind, actor } = change;
  log.info({ credential: name, change: id, kind, actor, created }, 'request accepted');
  await (created ? enqueue([change.id]) : wake([change.id]));
  return { status: created ? 202 : 200, body: { change } };
}
