import { asFairwayError, type Logger, type Pack, PACK_QUEUE } from '@fairway/core';
import { type JobWorker, jobWorker } from '@fairway/queue';

/** Two at a time: PostgreSQL is the bound, not this process. */
const CONCURRENCY = 2;
/** What this program reads. */
const PACK_VERSION = 1;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;

/**
 * Takes packs from the queue and gives them to `record`, one job per pack. A pack that cannot be recorded now goes back with a
 * growing delay, however often; the ledger makes every repetition harmless. One that a later agent wrote in a later form waits
 * untouched for a recorder that reads it. Redis or PostgreSQL, by the scheme of `url`.
 */
export function packWorker(
  url: string,
  prefix: string,
  record: (pack: Pack) => Promise<unknown>,
  log: Logger,
): JobWorker {
  const options = { url, prefix, name: PACK_QUEUE, partName: 'packs', concurrency: CONCURRENCY };
  return jobWorker<Pack>(
    options,
    async (pack, { id, attempts }) => {
      if (isLater(pack)) {
        log.warn({ pack: id, agent: pack.agent, reason: LATER }, 'pack of a later version, it waits');
        return LONGEST_DELAY_MS;
      }
      try {
        await record(pack);
        return undefined;
      } catch (error) {
        const delayMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempts, 10));
        log.warn({ pack: id, delayMs, reason: asFairwayError(error).message }, 'pack not recorded, it comes back');
        return delayMs;
      }
    },
    log,
  );
}

const LATER = `This recorder reads packs of version ${PACK_VERSION}; start the recorder of the release that the agent is from.`;
const isLater = ({ v }: { readonly v: number }): boolean => typeof v === 'number' && v > PACK_VERSION;
