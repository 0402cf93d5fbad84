import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Identity } from '../../../packages/cli/src/stack/kube/api/certificate.ts';

/** What a webhook is asked, as far as the suite looks at it. */
export type Asked = {
  readonly path: string;
  readonly query: string;
  readonly apiVersion: string;
  readonly request: {
    readonly uid: string;
    readonly operation: string;
    readonly dryRun: boolean;
    readonly name?: string;
    readonly namespace: string;
    readonly userInfo: { readonly username: string };
    readonly kind: object;
    readonly resource: object;
    readonly object: { readonly metadata: Readonly<Record<string, unknown>>; readonly data?: object } | null;
    readonly oldObject: object | null;
  };
};

/** A response without its uid; `raw` is sent as it is; undefined never answers. */
export type Said = Readonly<Record<string, unknown>> | undefined;

export type WebhookServer = {
  readonly port: number;
  readonly asked: readonly Asked[];
  /** What is said to calls of a path. */
  on(path: string, answer: (asked: Asked) => Said): void;
  stop(): Promise<void>;
};

/** `patchType` and `patch` of a list of operations. */
export const patch = (operations: readonly object[]) => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
});

/** Admission webhooks of the suite's own, by path; what nobody has named lets everything in. */
export async function startWebhooks({ certificate, key }: Identity): Promise<WebhookServer> {
  const asked: Asked[] = [];
  const answers = new Map<string, (one: Asked) => Said>();
  const server = createServer({ cert: certificate, key }, (request, response) => {
    let text = '';
    request.on('data', (part) => (text += part));
    request.on('end', () => {
      const { pathname: path, search: query } = new URL(request.url ?? '/', 'https://here');
      const one = { path, query, ...(JSON.parse(text) as Omit<Asked, 'path' | 'query'>) };
      asked.push(one);
      const said: Said = answers.get(path) ? answers.get(path)?.(one) : { allowed: true };
      if (said === undefined) return;
      const review = { ...said, uid: one.request.uid };
      const whole = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: review };
      const body = typeof said['raw'] === 'string' ? said['raw'] : JSON.stringify(whole);
      response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    on: (path, answer) => void answers.set(path, answer),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
