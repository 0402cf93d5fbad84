/** What about a Redis loses jobs or brings a queue to a dead end (capture reference §5.3 E1 and E3, §5.5). */
export type QueueRisk = 'evicts' | 'unbounded' | 'volatile';

const SENTENCES: Readonly<Record<QueueRisk, string>> = {
  evicts: 'Redis may throw jobs away when its memory is full: set maxmemory-policy to noeviction.',
  unbounded: 'Redis has no maxmemory: producers cannot see it fill up, and the system may end it. Set maxmemory.',
  volatile: 'Redis forgets all jobs when it restarts: set appendonly to yes, on a volume that outlives the pod.',
};

export const riskSentence = (risk: QueueRisk): string => SENTENCES[risk];

/** The risks that Redis' own INFO tells of; fields that a service hides tell nothing. */
export function redisRisks(info: string): QueueRisk[] {
  const of = (field: string) => new RegExp(`^${field}:(\\S+)`, 'm').exec(info)?.[1];
  const risks: QueueRisk[] = [];
  if ((of('maxmemory_policy') ?? 'noeviction') !== 'noeviction') risks.push('evicts');
  if (of('maxmemory') === '0') risks.push('unbounded');
  if (of('aof_enabled') === '0') risks.push('volatile');
  return risks;
}
