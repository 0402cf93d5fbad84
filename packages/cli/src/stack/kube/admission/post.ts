import { request } from 'node:https';
import { SERVICE } from '../kinds.ts';
import type { Registry } from '../store/registry.ts';
import type { ClientConfig } from './configuration.ts';

/** Where a call goes, and how it is named in messages. */
export type Door = {
  readonly url: URL;
  /** What the certificate has to be for, where it is not the host of the address. */
  readonly servername?: string;
  readonly shown: string;
};

/** The address of a webhook; a Service is reached at its cluster IP, and its certificate is for `NAME.NAMESPACE.svc`. Throws when there is none. */
export function doorOf(registry: Pick<Registry, 'get'>, { url, service }: ClientConfig, timeoutSeconds: number): Door {
  const query = `?timeout=${timeoutSeconds}s`;
  if (url !== undefined) return { url: new URL(`${url}${query}`), shown: `${url}${query}` };
  const { namespace = '', name = '', path = '', port = 443 } = service ?? {};
  const servername = `${name}.${namespace}.svc`;
  const address = registry.get(SERVICE, namespace, name)?.spec.clusterIP;
  if (address === undefined || address === 'None') throw new Error(`service ${JSON.stringify(name)} not found`);
  const rest = `:${port}${path}${query}`;
  return { url: new URL(`https://${address}${rest}`), servername, shown: `https://${servername}${rest}` };
}

const MAX_ANSWER_BYTES = 3 * 1024 * 1024;

/** POSTs JSON and answers the JSON of a 200; any other end is an Error that names none of what was sent. */
export function post(
  { url, servername }: Door,
  body: object,
  options: { readonly ca?: Buffer; readonly timeoutMs: number },
): Promise<unknown> {
  const text = JSON.stringify(body);
  const signal = AbortSignal.timeout(options.timeoutMs);
  return new Promise((resolve, reject) => {
    const fail = (error: Error) =>
      reject(signal.aborted ? new Error(`no answer within ${options.timeoutMs} ms`) : error);
    const sent = request(
      url,
      {
        method: 'POST',
        agent: false,
        signal,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
        ...(options.ca === undefined ? {} : { ca: options.ca }),
        ...(servername === undefined ? {} : { servername }),
      },
      (answer) => {
        const chunks: Buffer[] = [];
        let size = 0;
        answer.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_ANSWER_BYTES) sent.destroy(new Error(`the answer is larger than ${MAX_ANSWER_BYTES} bytes`));
          else chunks.push(chunk);
        });
        answer.once('error', fail);
        answer.once('end', () => read(answer.statusCode ?? 0, Buffer.concat(chunks), resolve, fail));
      },
    );
    sent.once('error', fail);
    sent.end(text);
  });
}

function read(status: number, body: Buffer, resolve: (value: unknown) => void, fail: (error: Error) => void): void {
  if (status !== 200) return fail(new Error(`it answered with HTTP ${status}`));
  try {
    resolve(JSON.parse(body.toString('utf8')));
  } catch {
    fail(new Error('its answer is no JSON'));
  }
}
