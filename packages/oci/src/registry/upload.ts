import { createHash } from 'node:crypto';
import { imageError } from '../errors.ts';
import type { Stored } from '../store.ts';
import type { Client } from './client.ts';
import { pieces } from './pieces.ts';
import { beginUpload, type Session } from './session.ts';
import type { Access } from './tokens.ts';

export type UploadRim = { readonly client: Client; readonly chunkBytes: number; readonly pauseMs: number };
type Source = { readonly open: () => AsyncIterable<Uint8Array>; readonly digest?: string };

/** A piece must fit into memory twice. */
const LARGEST_PIECE = 256 * 2 ** 20;

/**
 * Sends the bytes as they come and learns their digest on the way; what fits into one piece goes in one request. `gone`: the
 * registry has lost the session. Whatever fails, the session is cancelled and no blob is left.
 */
export async function upload(rim: UploadRim, access: Access, source: Source): Promise<Stored | 'gone'> {
  const session = await beginUpload(rim.client, access, rim.pauseMs);
  try {
    const size = Math.max(rim.chunkBytes, session.least);
    if (size > LARGEST_PIECE)
      throw imageError(
        `${rim.client.place(access.at)} wants pieces of ${size} bytes at least, more than is held in memory.`,
      );
    const stored = await sent(session, source, size);
    if (stored === 'gone') await session.cancel();
    return stored;
  } catch (error) {
    await session.cancel();
    throw error;
  }
}

/** The next piece is read and hashed while the one before it is on its way. */
async function sent(session: Session, { open, digest }: Source, size: number): Promise<Stored | 'gone'> {
  const hash = createHash('sha256');
  let total = 0;
  let only: Buffer | undefined;
  let onItsWay: Promise<'sent' | 'gone'> = Promise.resolve('sent');
  for await (const piece of pieces(open(), size)) {
    hash.update(piece);
    if ((await onItsWay) === 'gone') return 'gone';
    if (total === 0 && piece.length < size) only = piece;
    else {
      onItsWay = session.send(piece, total);
      // It is waited for with the next piece; until then nobody listens.
      onItsWay.catch(() => undefined);
    }
    total += piece.length;
  }
  if ((await onItsWay) === 'gone') return 'gone';
  const found = `sha256:${hash.digest('hex')}`;
  if (digest !== undefined && found !== digest) {
    throw imageError(`The bytes of blob ${digest} are ${found}: they were damaged on their way.`, 'retryable');
  }
  return (await session.finish(found, only)) === 'gone' ? 'gone' : { digest: found, size: total };
}
