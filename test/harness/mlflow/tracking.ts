import { createHmac, randomUUID } from 'node:crypto';
import { routes } from './routes.ts';
import { type FakeServer, type Reply, startServer } from './server.ts';

/** `2.2`: before aliases. `2.9`: with them. `3.4`: with logged models. */
export type Dialect = '2.2' | '2.9' | '3.4';

export type FakeVersion = {
  readonly name: string;
  readonly version: string;
  readonly createdAt: number;
  updatedAt: number;
  stage: string;
  source: string;
  readonly runId: string | undefined;
  readonly modelId: string | undefined;
  /** What get-download-uri answers. */
  location: string;
  status: string;
  statusMessage: string | undefined;
  readonly tags: Map<string, string>;
};
export type FakeModel = {
  readonly name: string;
  readonly versions: FakeVersion[];
  readonly tags: Map<string, string>;
  readonly aliases: Map<string, string>;
};

export type State = {
  readonly dialect: Dialect;
  readonly models: Map<string, FakeModel>;
  /** Artifact root by run and by logged model. */
  readonly runs: Map<string, string>;
  readonly loggedModels: Map<string, string>;
  /** What the proxy serves, by path below its root. */
  readonly artifacts: Map<string, Buffer>;
  pageSize: number;
};

export type FakeTracking = FakeServer & State;

export type Access = { readonly basic?: { readonly user: string; readonly password: string }; readonly token?: string };

/**
 * HAND-MADE after MLflow's documentation and published sources, not recorded: the model registry, the artifact proxy and
 * webhook signatures of a tracking server in three ages. Keeps its rules: fields that are empty are left out, errors are
 * `{error_code, message}`, a missing alias is INVALID_PARAMETER_VALUE, an unknown path is Flask's page.
 */
export async function startTracking(dialect: Dialect, access: Access = {}): Promise<FakeTracking> {
  const state: State = {
    dialect,
    models: new Map(),
    runs: new Map(),
    loggedModels: new Map(),
    artifacts: new Map(),
    pageSize: 1_000,
  };
  const server = await startServer((asked) =>
    isKnown(access, asked.headers['authorization']) ? routes(fake, asked) : STRANGER,
  );
  const fake: FakeTracking = Object.assign(server, state);
  return fake;
}

const STRANGER: Reply = {
  status: 401,
  headers: { 'www-authenticate': 'Basic realm="mlflow"', 'content-type': 'text/html; charset=utf-8' },
  body: 'You are not authenticated. Please see https://www.mlflow.org/docs/latest/auth/index.html on how to authenticate.',
};

function isKnown({ basic, token }: Access, authorization: string | undefined): boolean {
  if (token !== undefined) return authorization === `Bearer ${token}`;
  if (basic === undefined) return true;
  return authorization === `Basic ${Buffer.from(`${basic.user}:${basic.password}`).toString('base64')}`;
}

/** A delivery as MLflow 3 sends it. */
export function webhookDelivery(secret: string, event: string, data: unknown, now: number) {
  const [entity, action] = event.split('.');
  const body = JSON.stringify({ entity, action, timestamp: new Date(now).toISOString(), data });
  const id = randomUUID();
  const timestamp = String(Math.floor(now / 1_000));
  const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');
  const headers = {
    'x-mlflow-delivery-id': id,
    'x-mlflow-timestamp': timestamp,
    'x-mlflow-signature': `v1,${signature}`,
  };
  return { headers, body: Buffer.from(body) };
}
