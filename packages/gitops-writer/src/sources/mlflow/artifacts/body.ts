import type { Readable } from 'node:stream';
import { FairwayError } from '@fairway/core';
import type { RemoteBytes } from '@fairway/remote';

/** The bytes of a file, or why there are none. `what`: the file and the store, as sentences name them. */
export async function bodyOf({ status, body }: RemoteBytes, what: string): Promise<Readable> {
  if (status === 200) return body;
  const why = await reasonIn(body);
  throw new FairwayError('registry.unavailable', `Cannot fetch ${what}: ${statusWords(status)}${why}.`);
}

function statusWords(status: number): string {
  if (status === 401 || status === 403) return `our credentials are not let near it (${status})`;
  if (status === 404) return 'it is listed, and not there (404)';
  if (status === 412) return 'it has changed since it was listed (412); try again';
  return `the answer is ${status}`;
}

const ENOUGH = 2_000;

async function reasonIn(body: Readable): Promise<string> {
  let text = '';
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      text += chunk.toString('utf8');
      if (text.length > ENOUGH) break;
    }
  } catch {
    // The status says enough.
  }
  body.destroy();
  // Of JSON and XML, and of pages, what a person would read.
  const [, message] = /"message":\s*"([^"]{1,200})"|<Message>/i.exec(text) ?? [];
  const [, code] = /<Code>([\w.]{1,60})<\/Code>/.exec(text) ?? [];
  const found = message ?? code;
  return found === undefined ? '' : ` (${found})`;
}
