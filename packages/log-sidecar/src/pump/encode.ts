import { gzipSync } from 'node:zlib';
import { decodeExchanges, encodeExchange, type Pack, packId } from '@fairway/core';
import type { SpooledPack, VersionRange } from '../ports.ts';

/**
 * About the time of level 1 (measured +9 %; level 6: +120 %) for 9 % fewer bytes. A full pack then stays below 64 KiB in
 * base64; above, Redis rounds its allocation up to 80 KiB.
 */
const GZIP_LEVEL = 3;

/** The job of a settled pack. The same pack gives the same job, whichever process makes it. */
export function toPack(pack: SpooledPack, payloads: readonly Buffer[]): Pack {
  const { agent, epoch, first, last, exchanges, note } = pack;
  const versions = note?.versions ?? [];
  const frames = versions.length === 0 ? payloads : payloads.map((payload) => corrected(payload, versions));
  const payload = gzipSync(Buffer.concat(frames), { level: GZIP_LEVEL }).toString('base64');
  const id = packId(agent, epoch, first, last);
  return { v: 1, packId: id, agent, epoch, first, last, exchanges, payload, dropped: note?.dropped ?? {} };
}

function corrected(payload: Buffer, versions: readonly VersionRange[]): Buffer {
  const [exchange] = decodeExchanges(payload);
  const range = versions.find(([first, last]) => exchange && exchange.head.seq >= first && exchange.head.seq <= last);
  if (!exchange || !range || exchange.head.versionSource === 'url') return payload;
  const [, , version, versionSource] = range;
  return encodeExchange({ ...exchange, head: { ...exchange.head, version, versionSource } });
}
