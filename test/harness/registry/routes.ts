import type { Auth } from './auth.ts';
import type { Call, RegistryOptions } from './registry.ts';
import {
  beginUpload,
  digestOf,
  keepBlob,
  readManifest,
  referrersOf,
  repositoryOf,
  type State,
  type Upload,
} from './state.ts';

export type Answer = { readonly status: number; readonly headers?: Record<string, string>; readonly body?: Buffer };
type World = {
  readonly state: State;
  readonly auth: Auth;
  readonly options: RegistryOptions;
  readonly origin: string;
  readonly moved: { in: number; out: number };
};
type Route = (world: World, name: string, rest: string, call: Call) => Answer;

const json = (status: number, value: unknown, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: Buffer.from(JSON.stringify(value)),
});
const error = (status: number, code: string, headers: Record<string, string> = {}): Answer =>
  json(status, { errors: [{ code, message: code.toLowerCase().replaceAll('_', ' ') }] }, headers);

const ROUTES: ReadonlyArray<readonly [RegExp, Route]> = [
  [/^\/v2\/(.+)\/blobs\/uploads\/(.*)$/, uploads],
  [/^\/v2\/(.+)\/blobs\/(sha256:[0-9a-f]{64})$/, blobs],
  [/^\/v2\/(.+)\/manifests\/(.+)$/, manifests],
  [/^\/v2\/(.+)\/referrers\/(sha256:[0-9a-f]{64})$/, referrers],
];

export function route(world: World, call: Call): Answer {
  if (call.path === '/token') return token(world, call);
  for (const [pattern, answer] of ROUTES) {
    const [, name, rest] = pattern.exec(call.path) ?? [];
    if (name === undefined || rest === undefined) continue;
    const action = call.method === 'GET' || call.method === 'HEAD' ? 'pull' : 'push';
    const challenge = world.auth.challenge(call.headers.authorization, [`repository:${name}:${action}`]);
    if (challenge !== undefined) return error(401, 'UNAUTHORIZED', { 'www-authenticate': challenge });
    return answer(world, name, rest, call);
  }
  return error(404, 'NAME_UNKNOWN');
}

function token({ auth }: World, { headers, query, body }: Call): Answer {
  const given = auth.token(headers.authorization, query, new URLSearchParams(body.toString('utf8')));
  return given === undefined ? json(401, { details: 'incorrect username or password' }) : json(200, given);
}

function blobs({ state, moved }: World, name: string, digest: string, { method }: Call): Answer {
  const bytes = repositoryOf(state, name).blobs.has(digest) ? state.bytes.get(digest) : undefined;
  if (bytes === undefined) return error(404, 'BLOB_UNKNOWN');
  if (method === 'GET') moved.out += bytes.length;
  return {
    status: 200,
    headers: { 'docker-content-digest': digest, 'content-type': 'application/octet-stream' },
    body: bytes,
  };
}

function uploads(world: World, name: string, id: string, call: Call): Answer {
  if (id === '') return begin(world, name, call);
  const upload = world.state.uploads.get(id);
  if (upload === undefined || upload.repository !== name) return error(404, 'BLOB_UPLOAD_UNKNOWN');
  if (call.method === 'GET') return { status: 204, headers: where(world, id, upload) };
  if (call.method === 'DELETE') {
    world.state.uploads.delete(id);
    return { status: 204 };
  }
  // The address of the last answer is the one that counts.
  if (call.query.get('state') !== String(upload.state)) return error(400, 'BLOB_UPLOAD_INVALID');
  return call.method === 'PATCH' ? piece(world, id, upload, call) : finish(world, id, upload, call);
}

function begin({ state, auth, options, ...world }: World, name: string, { query, headers }: Call): Answer {
  const [mount, from] = [query.get('mount'), query.get('from')];
  const mayRead = from !== null && auth.may(headers.authorization, `repository:${from}:pull`);
  if (options.mounts !== false && mount !== null && mayRead && repositoryOf(state, from).blobs.has(mount)) {
    repositoryOf(state, name).blobs.add(mount);
    return { status: 201, headers: { location: `/v2/${name}/blobs/${mount}`, 'docker-content-digest': mount } };
  }
  const id = beginUpload(state, name);
  const upload = state.uploads.get(id) as Upload;
  const least = options.minChunk === undefined ? {} : { 'oci-chunk-min-length': String(options.minChunk) };
  return { status: 202, headers: { ...where({ state, auth, options, ...world }, id, upload), ...least } };
}

function where({ options, origin }: World, id: string, { repository, size, state }: Upload): Record<string, string> {
  const path = `/v2/${repository}/blobs/uploads/${id}?state=${state}`;
  const location = options.absoluteLocations === true ? `${origin}${path}` : path;
  return { location, range: `0-${Math.max(0, size - 1)}` };
}

function piece(world: World, id: string, upload: Upload, { headers, body, isWhole }: Call): Answer {
  const range = /^(\d+)-(\d+)$/.exec(headers['content-range'] ?? '');
  const isNext = range !== null && Number(range[1]) === upload.size;
  const length = Number(range?.[2] ?? 0) - Number(range?.[1] ?? 0) + 1;
  if (!isNext || (isWhole && length !== body.length))
    return error(416, 'BLOB_UPLOAD_INVALID', where(world, id, upload));
  const shortBefore = upload.chunks.some((chunk) => chunk.length < (world.options.minChunk ?? 0));
  if (shortBefore) return error(400, 'SIZE_INVALID');
  take(world, upload, body);
  return { status: 202, headers: where(world, id, upload) };
}

function take({ moved }: World, upload: Upload, body: Buffer): void {
  upload.chunks.push(body);
  upload.size += body.length;
  upload.state += 1;
  moved.in += body.length;
}

function finish(world: World, id: string, upload: Upload, { query, body, isWhole }: Call): Answer {
  const { state } = world;
  take(world, upload, body);
  if (!isWhole) return error(400, 'SIZE_INVALID');
  state.uploads.delete(id);
  const bytes = Buffer.concat(upload.chunks);
  const digest = query.get('digest');
  if (digest !== digestOf(bytes)) return error(400, 'DIGEST_INVALID');
  keepBlob(state, upload.repository, bytes);
  return {
    status: 201,
    headers: { location: `/v2/${upload.repository}/blobs/${digest}`, 'docker-content-digest': digest },
  };
}

function manifests(world: World, name: string, reference: string, { method, headers, body }: Call): Answer {
  const repository = repositoryOf(world.state, name);
  if (method === 'PUT') return putManifest(world, name, reference, headers['content-type'] ?? '', body);
  const digest = reference.startsWith('sha256:') ? reference : repository.tags.get(reference);
  const kept = digest === undefined ? undefined : repository.manifests.get(digest);
  if (digest === undefined || kept === undefined) return error(404, 'MANIFEST_UNKNOWN');
  return { status: 200, headers: { 'content-type': kept.type, 'docker-content-digest': digest }, body: kept.bytes };
}

function putManifest({ state, options }: World, name: string, reference: string, type: string, bytes: Buffer): Answer {
  const repository = repositoryOf(state, name);
  const digest = digestOf(bytes);
  if (reference.startsWith('sha256:') && reference !== digest) return error(400, 'DIGEST_INVALID');
  const read = readManifest(repository, type, bytes);
  if (typeof read === 'string') return error(400, read);
  repository.manifests.set(digest, { type, bytes });
  if (!reference.startsWith('sha256:')) repository.tags.set(reference, digest);
  const subject = options.referrers === false ? undefined : read.subject?.digest;
  const location = `/v2/${name}/manifests/${digest}`;
  return {
    status: 201,
    headers: {
      location,
      'docker-content-digest': digest,
      ...(subject === undefined ? {} : { 'oci-subject': subject }),
    },
  };
}

function referrers({ state, options }: World, name: string, digest: string): Answer {
  if (options.referrers === false) return error(404, 'UNSUPPORTED');
  const type = 'application/vnd.oci.image.index.v1+json';
  const index = { schemaVersion: 2, mediaType: type, manifests: referrersOf(repositoryOf(state, name), digest) };
  return json(200, index, { 'content-type': type });
}
