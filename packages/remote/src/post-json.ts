import type { HttpAnswer } from '@fairway/core';
import axios, { isAxiosError } from 'axios';
import type { Readable } from 'node:stream';

/** Enough to tell a web page from an answer. */
const BODY_BYTES = 2_048;

/**
 * Posts JSON; every outcome is an answer. No redirect is followed, no more of the body is read than its beginning, and the URL
 * is in nothing that comes back: it may be a secret.
 */
export async function postJson(
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
  timeoutMs: number,
): Promise<HttpAnswer> {
  try {
    const answer = await axios.post<Readable>(url, body, {
      headers: { 'content-type': 'application/json', ...headers },
      signal: AbortSignal.timeout(timeoutMs),
      maxRedirects: 0,
      responseType: 'stream',
      validateStatus: () => true,
    });
    const retryAfter = answer.headers['retry-after'] as string | undefined;
    return { status: answer.status, retryAfter, body: await beginning(answer.data) };
  } catch (error) {
    return { status: undefined, trouble: troubleOf(error, timeoutMs) };
  }
}

function troubleOf(error: unknown, timeoutMs: number): string {
  const code = isAxiosError(error) ? error.code : undefined;
  return code === 'ERR_CANCELED' ? `no answer within ${timeoutMs / 1000} s` : (code ?? 'no answer');
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
