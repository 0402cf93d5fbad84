import { Readable } from 'node:stream';
import { pause } from '@fairway/core';
import type { RemoteAnswer } from '@fairway/remote';
import { type Client, isUnavailable } from './client.ts';
import { isHtml, refusal } from './refusal.ts';
import type { Access } from './tokens.ts';

/** `gone`: the registry has forgotten the session, or bytes of it that we no longer hold; the upload begins again. */
type Sent = 'sent' | 'gone';
/** One upload (distribution-spec, "Pushing a blob in chunks"). */
export type Session = {
  /** Least length of a piece that is not the last. */
  readonly least: number;
  /** Sends a piece whose first byte is the `offset`th of the blob, and goes on where a drop ended it. */
  send(piece: Buffer, offset: number): Promise<Sent>;
  /** Ends the upload; `last`: bytes that were not sent before. */
  finish(digest: string, last?: Buffer): Promise<Sent>;
  cancel(): Promise<void>;
};
type Rim = { readonly client: Client; readonly access: Access; readonly pauseMs: number };

/** Drops in a row that brought no byte further. */
const MOST_DROPS = 5;
const LONGEST_PAUSE_MS = 5_000;
const OCTETS = 'application/octet-stream';

export async function beginUpload(client: Client, access: Access, pauseMs: number): Promise<Session> {
  const rim = { client, access, pauseMs };
  const url = client.urlOf(access.at, '/blobs/uploads/');
  // An answer that was lost leaves an empty session behind, which the registry clears away.
  const answer = await client.call(access, 'POST', url, { body: nothing, repeat: true });
  if (answer.status !== 202) throw refusal(client.place(access.at), 'an upload was begun', answer);
  return session(rim, answer, url);
}

const nothing = { bytes: Buffer.alloc(0), type: OCTETS };

export function session(rim: Rim, begun: RemoteAnswer, from: string): Session {
  const { client, access } = rim;
  let url = locationOf(rim, begun, from, undefined);
  const follow = (answer: RemoteAnswer) => {
    url = locationOf(rim, answer, url, url);
  };
  const least = Number(begun.headers['oci-chunk-min-length'] ?? 0);
  return {
    least: Number.isSafeInteger(least) ? least : 0,
    send: async (piece, offset) => {
      let at = 0;
      for (let drops = 0; at < piece.length; ) {
        const here = await further(rim, url, piece.subarray(at), offset + at, drops);
        if (here === 'gone') return 'gone';
        follow(here.answer);
        const there = here.received - offset;
        if (there < 0 || there > piece.length) return 'gone';
        drops = there > at ? 0 : drops + 1;
        if (drops > MOST_DROPS) throw stuck(rim, here.answer);
        at = there;
      }
      return 'sent';
    },
    finish: (digest, last) => finish(rim, url, digest, last),
    // Whoever gives up tidies; what cannot be tidied is the registry's to clear away.
    cancel: async () => void (await client.call(access, 'DELETE', url, { repeat: false }).catch(() => undefined)),
  };
}

type Progress = { readonly answer: RemoteAnswer; readonly received: number };

/** One try to send `bytes`, the first of which is the `from`th of the blob, and how far the registry is afterwards. */
async function further(rim: Rim, url: string, bytes: Buffer, from: number, drops: number): Promise<Progress | 'gone'> {
  const answer = await patch(rim, url, bytes, from);
  if (answer === 'dropped' || answer.status === 416) return resumed(rim, url, drops);
  if (answer.status === 404) return 'gone';
  if (answer.status !== 202 && answer.status !== 204) throw refused(rim, 'a piece of a layer was sent', answer);
  // Some registries say 0-0 whatever they took; 202 means all of it.
  return { answer, received: receivedBy(answer) || from + bytes.length };
}

async function patch(
  { client, access }: Rim,
  url: string,
  bytes: Buffer,
  from: number,
): Promise<RemoteAnswer | 'dropped'> {
  const headers = { 'content-range': `${from}-${from + bytes.length - 1}` };
  const body = { stream: () => inSlices(bytes), length: bytes.length, type: OCTETS };
  try {
    return await client.call(access, 'PATCH', url, { headers, body });
  } catch (error) {
    if (isUnavailable(error)) return 'dropped';
    throw error;
  }
}

const SLICE_BYTES = 2 ** 18;

/** A socket that still takes slices is not silent, however slow it is. */
function inSlices(bytes: Buffer): Readable {
  let at = 0;
  return new Readable({
    highWaterMark: SLICE_BYTES,
    read() {
      this.push(at < bytes.length ? bytes.subarray(at, (at += SLICE_BYTES)) : null);
    },
  });
}

/** What the registry has of the upload after a drop. */
async function resumed(rim: Rim, url: string, drops: number): Promise<Progress | 'gone'> {
  await pause(Math.min(rim.pauseMs * 2 ** drops, LONGEST_PAUSE_MS));
  const answer = await rim.client.call(rim.access, 'GET', url);
  const { status } = answer;
  const received = receivedBy(answer);
  if ((status === 204 || status === 202) && received !== undefined) return { answer, received };
  // Some registries end a session that was dropped, and answer 4xx of their own choice.
  const isGone = status < 300 || (status >= 400 && status < 500 && status !== 401 && status !== 403);
  if (isGone && !isHtml(answer.headers)) return 'gone';
  throw refused(rim, 'the state of an upload was asked for', answer);
}

async function finish(rim: Rim, url: string, digest: string, last: Buffer = nothing.bytes): Promise<Sent> {
  const end = `${url}${url.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`;
  const body = last.length === 0 ? nothing : { stream: () => inSlices(last), length: last.length, type: OCTETS };
  try {
    // Bytes that a drop has cut off may be in the session already: with a body it is never simply sent again.
    const answer = await rim.client.call(rim.access, 'PUT', end, { body, repeat: last.length === 0 });
    if (answer.status === 201 || answer.status === 204) return 'sent';
    if (answer.status !== 404) throw refused(rim, 'a blob was finished', answer);
  } catch (error) {
    if (!isUnavailable(error)) throw error;
  }
  // Its answer may have been lost: then the blob is there and the session is not.
  return (await isThere(rim.client, rim.access, digest)) ? 'sent' : 'gone';
}

export async function isThere(client: Client, access: Access, digest: string): Promise<boolean> {
  const answer = await client.call(access, 'HEAD', client.urlOf(access.at, `/blobs/${digest}`));
  if (answer.status === 200 && !isHtml(answer.headers)) return true;
  if (answer.status === 404) return false;
  throw refusal(client.place(access.at), `blob ${digest} was looked for`, answer);
}

/** The address to go on at; registries give it whole or relative to the request (RFC 9110, 10.2.2). */
function locationOf(
  { client, access }: Rim,
  answer: RemoteAnswer,
  asked: string,
  otherwise: string | undefined,
): string {
  const location = answer.headers['location'];
  if (location !== undefined && URL.canParse(location, asked)) return new URL(location, asked).href;
  if (otherwise !== undefined) return otherwise;
  throw refusal(client.place(access.at), 'an upload was begun, and gave no address for it', answer);
}

/** Bytes that the registry has, from `Range: 0-<last>`. `0-0` is what registries say of an upload without a byte. */
function receivedBy({ headers }: RemoteAnswer): number | undefined {
  const last = /^(?:bytes=)?0-(\d+)$/.exec(headers['range'] ?? '')?.[1];
  if (last === undefined) return undefined;
  return last === '0' ? 0 : Number(last) + 1;
}

const refused = ({ client, access }: Rim, what: string, answer: RemoteAnswer) =>
  refusal(client.place(access.at), what, answer);

const stuck = (rim: Rim, answer: RemoteAnswer) =>
  refused(rim, `it took no more bytes of an upload in ${MOST_DROPS} tries`, answer);
