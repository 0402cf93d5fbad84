import { gzipSync } from 'node:zlib';
import { decodeExchanges, encodeExchange, type Pack, packId } from '@fairway/core';
import type { SpooledPack, VersionRange } from '../ports.ts';

/**
 * About the time of level 1 (measured +9 %; level 6: +120 %) for 9 % fewer bytes. A full pack then stays below 64 KiB in
 * base64; above, Redis rounds its allocation up to 80 KiB.
 */
const GZIP_LEVEL = 3;

/** The job of a settled pack, from its encoded exchanges. The same pack gives the same job, whichever process makes it. */
export function toPack(pack: SpooledPack, encoded: Buffer): Pack {
  const { agent, epoch, model, first, last, exchanges, note } = pack;
  const versions = note?.versions ?? [];
  const bytes = versions.length === 0 ? encoded : corrected(encoded, versions);
  const payload = gzipSync(bytes, { level: GZIP_LEVEL }).toString('base64');
  const id = packId(agent, epoch, first, last);
  return { v: 1, packId: id, agent, epoch, model, first, last, exchanges, payload, dropped: note?.dropped ?? {} };
}

function corrected(encoded: Buffer, versions: readonly VersionRange[]): Buffer {
  const exchanges = decodeExchanges(encoded).map((exchange) => {
    const { seq, versionSource: written } = exchange.head;
    const range = versions.find(([first, last]) => seq >= first && seq <= last);
    if (!range || written === 'url') return exchange;
    const [, , version, versionSource] = range;
    return { ...exchange, head: { ...exchange.head, version, versionSource } };
  });
  return Buffer.concat(exchanges.map(encodeExchange));
}
