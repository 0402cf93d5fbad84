import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { decodeExchanges, encodeExchange, type Pack, packId } from '@fairway/core';
import type { SpooledPack, VersionRange } from '../ports.ts';

/** 3.3 µs per prediction against 6.9 at level 6, for 13 % more bytes (capture reference §5.2). */
const GZIP_LEVEL = 1;
const compress = promisify(gzip);

/** The job of a settled pack. The same pack gives the same job, whichever process makes it. */
export async function toPack(pack: SpooledPack, payloads: readonly Buffer[]): Promise<Pack> {
  const { agent, epoch, first, last, exchanges, note } = pack;
  const versions = note?.versions ?? [];
  const frames = versions.length === 0 ? payloads : payloads.map((payload) => corrected(payload, versions));
  const payload = (await compress(Buffer.concat(frames), { level: GZIP_LEVEL })).toString('base64');
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
