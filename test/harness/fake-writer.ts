import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  type Baseline,
  type Change,
  END_PHASES,
  type ModelVersion,
  type RetrainRequest,
} from '../../packages/core/src/index.ts';

/** What a fake writer knows; tests change it while it runs. */
type FakeWriterState = {
  references: Map<string, { modelVersion: ModelVersion; baseline: Baseline }>;
  policies: Map<string, { blob: string; text: string }>;
  changes: Change[];
  models: unknown[];
  /** Every request to open a change, in order, repetitions too. */
  requests: RetrainRequest[];
  /** Answers 503 to everything. */
  down: boolean;
  /** Takes the next change, but breaks the connection instead of answering. */
  hangUpAfterChange: boolean;
};

export type FakeWriter = { url: string; token: string; state: FakeWriterState; stop: () => Promise<void> };

/** The writer's HTTP API as the recorder and the monitor use it, with the writer's rules: the same dedupe key is the same change, and an open one is joined. */
export async function startFakeWriter(): Promise<FakeWriter> {
  const token = 'writer-test-token';
  const state: FakeWriterState = {
    references: new Map(),
    policies: new Map(),
    changes: [],
    models: [],
    requests: [],
    down: false,
    hangUpAfterChange: false,
  };
  const server = createServer((request, response) => void answer(state, token, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${port}`, token, state, stop };
}

async function answer(
  state: FakeWriterState,
  token: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const send = (status: number, body: unknown) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://writer');
  if (state.down) return void send(503, { detail: 'the writer is down for a test' });
  if (request.headers.authorization !== `Bearer ${token}`) return void send(401, { detail: 'no token' });
  if (request.method === 'POST' && pathname === '/v1/changes') {
    const change = openChange(state, JSON.parse(await bodyOf(request)) as RetrainRequest);
    if (!state.hangUpAfterChange) return void send(202, { change });
    state.hangUpAfterChange = false;
    return void request.socket.destroy();
  }
  const withdrawn = /^\/v1\/changes\/([^/]+)\/withdraw$/.exec(pathname)?.[1];
  if (request.method === 'POST' && withdrawn !== undefined) {
    const { reason } = JSON.parse(await bodyOf(request)) as { reason: string };
    const index = state.changes.findIndex(({ id }) => id === withdrawn);
    const known = state.changes[index];
    if (known === undefined) return void send(404, { detail: 'no such change' });
    state.changes[index] = { ...known, phase: 'superseded', reason };
    return void send(200, { change: state.changes[index] });
  }
  const [, model = '', version] = /^\/v1\/models\/([^/]+)\/(?:policy|versions\/([^/]+))$/.exec(pathname) ?? [];
  const found =
    version !== undefined
      ? state.references.get(`${model}/${version}`)
      : model !== ''
        ? state.policies.get(model)
        : listed(state, pathname, searchParams);
  if (found === undefined) send(404, { detail: `nothing at ${pathname}` });
  else send(200, found);
}

function listed(state: FakeWriterState, path: string, query: URLSearchParams): object | undefined {
  const fits = (change: Change) =>
    (['model', 'kind', 'environment', 'phase'] as const).every(
      (key) => !query.has(key) || query.get(key)?.split(',').includes(change[key]) === true,
    );
  if (path === '/v1/changes') return { changes: state.changes.filter(fits) };
  if (path === '/v1/models') return { models: state.models };
  return path === '/v1/notifications' ? { notifications: [] } : undefined;
}

function openChange(state: FakeWriterState, request: RetrainRequest): Change {
  const first = state.requests.find(({ dedupeKey }) => dedupeKey === request.dedupeKey);
  const index = first === undefined ? -1 : state.changes.findIndex(({ actor }) => actor === request.dedupeKey);
  state.requests.push(request);
  const open = state.changes.find(({ model, phase }) => model === request.model && !END_PHASES.includes(phase));
  const known = state.changes[index] ?? open;
  if (known !== undefined) return known;
  const at = new Date().toISOString();
  const change: Change = {
    id: `change-${state.changes.length + 1}`,
    kind: 'retrain',
    model: request.model,
    version: request.version,
    environment: request.environment,
    phase: 'requested',
    branch: 'fairway/retrain',
    actor: request.dedupeKey,
    createdAt: at,
    updatedAt: at,
    history: [{ phase: 'requested', at }],
  };
  state.changes.unshift(change);
  return change;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
