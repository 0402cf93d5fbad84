import { type Clock, deliverCard, type HttpAnswer } from '@fairway/core';
import { create, isAxiosError } from 'axios';
import type { Readable } from 'node:stream';
import type { Notifier } from '../../ports.ts';

const TIMEOUT_MS = 15_000;
/** Enough to tell a web page from an answer. */
const BODY_BYTES = 2_048;

/** Posts Adaptive Cards to a Teams workflow. The URL is a secret as a whole: it is in no error and no log. */
export function teamsNotifier(url: string, clock: Clock): Notifier {
  const http = create({ maxRedirects: 0, responseType: 'stream', validateStatus: () => true });
  const post = async (body: string): Promise<HttpAnswer> => {
    try {
      const headers = { 'content-type': 'application/json' };
      const answer = await http.post<Readable>(url, body, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
      const retryAfter = answer.headers['retry-after'] as string | undefined;
      return { status: answer.status, retryAfter, body: await beginning(answer.data) };
    } catch (error) {
      return { status: undefined, trouble: (isAxiosError(error) ? error.code : undefined) ?? 'no answer' };
    }
  };
  return { send: (content) => deliverCard(content, post, clock) };
}

async function beginning(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= BODY_BYTES) break;
    }
  } catch {
    // The status has been read: what the body would have said is not needed.
  } finally {
    body.destroy();
  }
  return Buffer.concat(chunks).toString('utf8', 0, BODY_BYTES);
}
