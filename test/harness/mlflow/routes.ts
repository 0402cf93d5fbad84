import { posix } from 'node:path';
import { type Asked, json, type Reply } from './server.ts';
import type { FakeModel, FakeVersion, State } from './tracking.ts';

/** Flask's own page for a path that it does not have. */
const PAGE: Reply = {
  status: 404,
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: '<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n',
};

const error = (status: number, code: string, message: string): Reply => json(status, { error_code: code, message });
const noModel = (name: string) => error(404, 'RESOURCE_DOES_NOT_EXIST', `Registered Model with name=${name} not found`);

const isAtLeast = ({ dialect }: State, age: string): boolean => Number(dialect) >= Number(age);

export function routes(state: State, asked: Asked): Reply {
  const { pathname } = asked.url;
  const [, path = ''] = /^\/api\/2\.0\/(.+)$/.exec(pathname) ?? [];
  if (path.startsWith('mlflow-artifacts/artifacts')) return artifacts(state, asked);
  const logged = /^mlflow\/logged-models\/([^/]+)$/.exec(path)?.[1];
  if (logged !== undefined && asked.method === 'GET') return loggedModel(state, decodeURIComponent(logged));
  const route = ROUTES[`${asked.method} ${path.replace(/^mlflow\//, '')}`];
  return route?.(state, asked) ?? PAGE;
}

type Route = (state: State, asked: Asked) => Reply | undefined;

const ROUTES: Readonly<Record<string, Route>> = {
  'GET registered-models/get': (state, { url }) =>
    onModel(state, url.searchParams, (model) => json(200, { registered_model: modelJson(state, model) })),
  'GET registered-models/search': (state, { url }) => {
    const { page, next } = paged([...state.models.values()], url.searchParams, 1_000, state.pageSize);
    const models = page.map((model) => modelJson(state, model));
    return json(200, { ...filled('registered_models', models), ...next });
  },
  'GET registered-models/alias': (state, { url }) =>
    isAtLeast(state, '2.3') ? byAlias(state, url.searchParams) : undefined,
  'GET registered-models/get-latest-versions': (state, { url }) =>
    onModel(state, url.searchParams, ({ versions }) => {
      const stages = url.searchParams.getAll('stages');
      const latest = stages.flatMap((stage) =>
        versions.filter((one) => one.stage === stage && one.status === 'READY').slice(-1),
      );
      return json(
        200,
        filled(
          'model_versions',
          latest.map((one) => versionJson(state, one)),
        ),
      );
    }),
  'GET model-versions/get': (state, { url }) =>
    onVersion(state, url.searchParams, (version) => json(200, { model_version: versionJson(state, version) })),
  'GET model-versions/get-download-uri': (state, { url }) =>
    onVersion(state, url.searchParams, ({ location }) => json(200, { artifact_uri: location })),
  'GET model-versions/search': (state, { url }) => searchVersions(state, url.searchParams),
  'POST model-versions/set-tag': (state, { text, headers }) => {
    if (headers['content-type']?.startsWith('application/json') !== true)
      return error(400, 'INVALID_PARAMETER_VALUE', 'Bad Request. Content-Type must be one of application/json.');
    const body = JSON.parse(text) as Record<string, string>;
    return onVersion(
      state,
      new URLSearchParams({ name: body['name'] ?? '', version: body['version'] ?? '' }),
      (version) => {
        const { key = '', value = '' } = body;
        if (!/^[\w\-. /:]{1,250}$/.test(key))
          return error(400, 'INVALID_PARAMETER_VALUE', `Invalid tag name: '${key}'`);
        if (value.length > 5_000) return error(400, 'INVALID_PARAMETER_VALUE', 'Model version value is too long');
        version.tags.set(key, value);
        return json(200, {});
      },
    );
  },
  'GET runs/get': (state, { url }) => {
    const id = url.searchParams.get('run_id') ?? '';
    const root = state.runs.get(id);
    if (root === undefined) return error(404, 'RESOURCE_DOES_NOT_EXIST', `Run with id=${id} not found`);
    return json(200, { run: { info: { run_id: id, artifact_uri: root, lifecycle_stage: 'active' }, data: {} } });
  },
};

function loggedModel(state: State, id: string): Reply {
  if (!isAtLeast(state, '3')) return PAGE;
  const root = state.loggedModels.get(id);
  if (root === undefined) return error(404, 'RESOURCE_DOES_NOT_EXIST', `Logged model with ID '${id}' not found.`);
  return json(200, { model: { info: { model_id: id, artifact_uri: root, status: 'LOGGED_MODEL_READY' }, data: {} } });
}

function onModel(state: State, query: URLSearchParams, answer: (model: FakeModel) => Reply): Reply {
  const name = query.get('name') ?? '';
  const model = state.models.get(name);
  return model === undefined ? noModel(name) : answer(model);
}

function onVersion(state: State, query: URLSearchParams, answer: (version: FakeVersion) => Reply): Reply {
  const [name, version] = [query.get('name') ?? '', query.get('version') ?? ''];
  const found = state.models.get(name)?.versions.find((one) => one.version === version);
  // The registry looks for the version alone: an unknown model is an unknown version.
  if (found === undefined)
    return error(404, 'RESOURCE_DOES_NOT_EXIST', `Model Version (name=${name}, version=${version}) not found`);
  return answer(found);
}

function byAlias(state: State, query: URLSearchParams): Reply {
  return onModel(state, query, ({ aliases, versions }) => {
    const alias = query.get('alias') ?? '';
    const found = versions.find(({ version }) => version === aliases.get(alias));
    if (found === undefined) return error(400, 'INVALID_PARAMETER_VALUE', `Registered model alias ${alias} not found.`);
    return json(200, { model_version: versionJson(state, found) });
  });
}

function searchVersions(state: State, query: URLSearchParams): Reply {
  const [, , wanted] = /^name\s*=\s*(['"])(.*)\1$/.exec(query.get('filter') ?? '') ?? [];
  if (wanted === undefined) return error(400, 'INVALID_PARAMETER_VALUE', 'Invalid clause(s) in filter string');
  // Newest change first; MySQL compares names without regard to case.
  const all = [...state.models.values()]
    .filter(({ name }) => name.toLowerCase() === wanted.toLowerCase())
    .flatMap(({ versions }) => versions)
    .sort((a, b) => b.updatedAt - a.updatedAt || Number(b.version) - Number(a.version));
  const { page, next } = paged(all, query, 200_000, state.pageSize);
  return json(200, {
    ...filled(
      'model_versions',
      page.map((one) => versionJson(state, one)),
    ),
    ...next,
  });
}

function paged<T>(all: readonly T[], query: URLSearchParams, most: number, pageSize: number) {
  const size = Math.min(Number(query.get('max_results') ?? '100'), most, pageSize);
  const start = Number(Buffer.from(query.get('page_token') ?? '', 'base64').toString('utf8') || '0');
  const end = start + size;
  const next = end < all.length ? { next_page_token: Buffer.from(String(end)).toString('base64') } : {};
  return { page: all.slice(start, end), next };
}

/** Protocol buffers leave out what is empty. */
const filled = (name: string, values: readonly unknown[]): object => (values.length === 0 ? {} : { [name]: values });
const tagList = (tags: ReadonlyMap<string, string>): object =>
  filled(
    'tags',
    [...tags].map(([key, value]) => ({ key, value })),
  );

function modelJson(state: State, { name, versions, tags, aliases }: FakeModel): object {
  const latest = versions.slice(-1).map((one) => versionJson(state, one));
  const named = [...aliases].map(([alias, version]) => ({ alias, version }));
  return {
    name,
    creation_timestamp: 1_700_000_000_000,
    ...filled('latest_versions', latest),
    ...tagList(tags),
    ...(isAtLeast(state, '2.3') ? filled('aliases', named) : {}),
  };
}

function versionJson(state: State, version: FakeVersion): object {
  const { name, createdAt, updatedAt, stage, source, runId, modelId, status, statusMessage, tags } = version;
  return {
    name,
    version: version.version,
    creation_timestamp: createdAt,
    last_updated_timestamp: updatedAt,
    current_stage: stage,
    source,
    ...(runId === undefined ? {} : { run_id: runId }),
    ...(modelId === undefined || !isAtLeast(state, '3') ? {} : { model_id: modelId }),
    status,
    ...(statusMessage === undefined ? {} : { status_message: statusMessage }),
    ...tagList(tags),
  };
}

/** The proxy: a folder's content by `?path=`, names without the folder; a file by its path. */
function artifacts(state: State, { url, rawPath }: Asked): Reply {
  const start = '/api/2.0/mlflow-artifacts/artifacts';
  const file = rawPath.slice(start.length + 1);
  const path = file === '' ? (url.searchParams.get('path') ?? '') : decodeURIComponent(file);
  if (path.split('/').includes('..') || posix.isAbsolute(path))
    return error(400, 'INVALID_PARAMETER_VALUE', 'Invalid path');
  if (file === '') return json(200, filled('files', listing(state.artifacts, path === '' ? '' : `${path}/`)));
  const bytes = state.artifacts.get(path);
  if (bytes === undefined) return error(500, 'INTERNAL_ERROR', 'The following failures occurred while downloading');
  const headers = {
    'content-disposition': `attachment; filename=${posix.basename(path)}`,
    'content-type': 'application/octet-stream',
  };
  return { status: 200, headers, body: bytes };
}

function listing(all: ReadonlyMap<string, Buffer>, folder: string): object[] {
  const inside = [...all]
    .filter(([path]) => path.startsWith(folder))
    .map(([path, bytes]) => [path.slice(folder.length), bytes] as const);
  const folders = new Set(
    inside.filter(([path]) => path.includes('/')).map(([path]) => path.slice(0, path.indexOf('/'))),
  );
  const files = inside.filter(([path]) => !path.includes('/'));
  return [
    ...[...folders].map((path) => ({ path, is_dir: true })),
    ...files.map(([path, bytes]) => ({ path, is_dir: false, file_size: bytes.length })),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
}
