import { bytesLink, collection, etagHeader, link, none, type Reply, sasError, stamp, typed } from './dialect.ts';
import type { FakeContent, FakeFrozen, FakeModel, FakeProject } from './state.ts';
import { freeze, touch } from './state.ts';
import type { Ask, FakeSas, Route } from './route.ts';

const ROOT = '/modelRepository';
const PAGE = 20;

const projectView = ({ dialect }: FakeSas, project: FakeProject): Record<string, unknown> => ({
  id: project.id,
  name: project.name,
  creationTimeStamp: stamp(dialect, project.createdAt),
  latestVersion: 'Version 1',
  challengerModels: none(dialect),
  tags: none(dialect),
  variables: none(dialect),
  ...project.fields,
  links: [
    link('self', `${ROOT}/projects/${project.id}`),
    link('championModel', `${ROOT}/projects/${project.id}/champion`),
  ],
});

function modelView({ dialect, state }: FakeSas, model: FakeModel): Record<string, unknown> {
  const project = state.projects.find(({ id }) => id === model.projectId);
  const isChampion = project?.champion === model.id;
  return {
    id: model.id,
    name: model.name,
    projectId: model.projectId,
    projectName: project?.name,
    role: isChampion ? 'champion' : 'plain',
    immutable: false,
    ...(model.versionName === undefined ? {} : { modelVersionName: model.versionName }),
    creationTimeStamp: stamp(dialect, model.createdAt),
    modifiedTimeStamp: stamp(dialect, model.modifiedAt),
    modifiedBy: 'modeler',
    ...(isChampion ? { championStartTime: stamp(dialect, project.championSince) } : {}),
    inputVariables: none(dialect),
    outputVariables: none(dialect),
    modelVersions: [],
    modelLocks: none(dialect),
    globalTags: none(dialect),
    dataPlanSnapShot: { creationTimeStamp: '0001-01-01T00:00:00Z', links: null },
    ...model.fields,
    links: [link('self', `${ROOT}/models/${model.id}`), link('contents', `${ROOT}/models/${model.id}/contents`)],
  };
}

const frozenView = (sas: FakeSas, model: FakeModel, frozen: FakeFrozen): Record<string, unknown> => ({
  ...modelView(sas, model),
  id: frozen.id,
  role: 'plain',
  immutable: true,
  modelVersionName: frozen.versionName,
  creationTimeStamp: stamp(sas.dialect, frozen.frozenAt),
  ...(sas.dialect === '3.5' ? {} : { modelId: model.id }),
});

function contentView(
  { dialect }: FakeSas,
  base: string,
  content: FakeContent,
  isFrozen: boolean,
): Record<string, unknown> {
  const self = `${base}/contents/${content.id}`;
  return {
    id: content.id,
    name: content.name,
    fileUri: `/files/files/${content.id}`,
    // Files of a frozen version have lost their times.
    modifiedTimeStamp: stamp(dialect, isFrozen && dialect !== '3.5' ? undefined : content.modifiedAt),
    links: [link('self', self), bytesLink(dialect, `${self}/content`), link('delete', self, 'DELETE')],
  };
}

/** `eq(name,"X")`, with or without spaces and with either quote; anything else is not understood, and so not honoured. */
function filtered<T extends Record<string, unknown>>(
  { ignoresFilters }: FakeSas,
  items: T[],
  query: URLSearchParams,
): T[] {
  const [, field = '', , value] = /^eq\(\s*'?([\w.]+)'?\s*,\s*(["'])(.*)\2\s*\)$/.exec(query.get('filter') ?? '') ?? [];
  if (value === undefined || ignoresFilters) return items;
  return items.filter((item) => item[field] === value);
}

const noModel = ({ dialect }: FakeSas, id: string, path: string): Reply =>
  sasError(
    dialect,
    404,
    21_206,
    dialect === '3.5'
      ? `The model ID "${id}" is invalid. Enter a valid value for the model "id" parameter".`
      : `A model with the ID "${id}" could not be found.`,
    path,
  );

function onModel(answer: (sas: FakeSas, model: FakeModel, ask: Ask) => Reply) {
  return (sas: FakeSas, ask: Ask): Reply => {
    const model = sas.state.models.find(({ id }) => id === ask.params[0]);
    return model === undefined ? noModel(sas, ask.params[0] ?? '', ask.path) : answer(sas, model, ask);
  };
}

function onProject(answer: (sas: FakeSas, project: FakeProject, ask: Ask) => Reply) {
  return (sas: FakeSas, ask: Ask): Reply => {
    const project = sas.state.projects.find(({ id }) => id === ask.params[0]);
    return project === undefined
      ? sasError(sas.dialect, 404, 21_308, `The project "${ask.params[0]}" could not be found.`, ask.path)
      : answer(sas, project, ask);
  };
}

const single = (sas: FakeSas, view: Record<string, unknown>, type: string, revision: number, status = 200): Reply => ({
  status,
  headers: { ...typed(sas.dialect, type), ...etagHeader(sas.dialect, String(view['id']), revision) },
  json: view,
});

const MODEL_TYPE = 'application/vnd.sas.models.model+json';

function putModel(sas: FakeSas, model: FakeModel, { headers, body, path }: Ask): Reply {
  const { dialect, state } = sas;
  const wanted = Object.values(etagHeader(dialect, model.id, model.revision)).at(0);
  const given = headers['if-match'];
  if (given === undefined) return sasError(dialect, 428, 0, 'The If-Match header is required.', path);
  if (given !== wanted) return sasError(dialect, 412, 0, 'The resource has changed.', path);
  if (!headers['content-type']?.startsWith(MODEL_TYPE)) return sasError(dialect, 415, 0, 'Unsupported.', path);
  const sent = body as Record<string, unknown>;
  // Whole bodies only: what is left out is gone.
  if (sent['name'] !== model.name || sent['id'] !== model.id)
    return sasError(dialect, 400, 0, 'Not a whole model.', path);
  model.fields = { ...model.fields, properties: sent['properties'] };
  touch(state, model);
  return single(sas, modelView(sas, model), MODEL_TYPE, model.revision);
}

function contentsReply(
  sas: FakeSas,
  base: string,
  contents: readonly FakeContent[],
  isFrozen: boolean,
  ask: Ask,
): Reply {
  const items = contents.map((content) => contentView(sas, base, content, isFrozen));
  const limit = sas.dialect === '3.5' && items.length <= PAGE ? {} : { limit: sas.pageSize };
  return collection(sas.dialect, { path: `${base}/contents`, name: 'contents', items, query: ask.query, ...limit });
}

/** Whatever the file is, 3.5 calls it JSON, and both give it a form's disposition. */
const bytesReply = ({ dialect }: FakeSas, content: FakeContent | undefined, path: string): Reply =>
  content === undefined
    ? sasError(dialect, 404, 0, 'The content could not be found.', path)
    : {
        status: 200,
        headers: {
          ...typed(dialect, dialect === '3.5' ? 'application/json' : 'application/octet-stream'),
          'Content-Disposition': `form-data; name="attachment"; filename="${content.name}"`,
          ...etagHeader(dialect, content.id, content.modifiedAt),
        },
        raw: content.bytes,
      };

const frozenOf = (model: FakeModel, ask: Ask): FakeFrozen | undefined =>
  model.frozen.find(({ id }) => id === ask.params[1]);

export const REPOSITORY_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: /^\/modelRepository\/projects$/,
    answer: (sas, { query }) =>
      collection(sas.dialect, {
        path: `${ROOT}/projects`,
        name: 'projects',
        items: filtered(
          sas,
          sas.state.projects.map((one) => projectView(sas, one)),
          query,
        ).map(({ variables: _left, ...summary }) => summary),
        query,
        limit: sas.pageSize,
      }),
  },
  {
    method: 'GET',
    path: /^\/modelRepository\/projects\/([^/]+)$/,
    answer: onProject((sas, project) =>
      single(sas, projectView(sas, project), 'application/vnd.sas.models.project+json', 1),
    ),
  },
  {
    method: 'GET',
    path: /^\/modelRepository\/projects\/([^/]+)\/champion$/,
    answer: onProject((sas, project, { path }) => {
      const model = sas.state.models.find(({ id }) => id === project.champion);
      return model === undefined
        ? sasError(sas.dialect, 404, 0, 'The project has no champion.', path)
        : single(sas, modelView(sas, model), MODEL_TYPE, model.revision);
    }),
  },
  {
    method: 'GET',
    path: /^\/modelRepository\/models$/,
    answer: (sas, { query }) =>
      collection(sas.dialect, {
        path: `${ROOT}/models`,
        name: 'models',
        items: filtered(
          sas,
          sas.state.models.map((one) => modelView(sas, one)),
          query,
        ),
        query,
        limit: sas.pageSize,
      }),
  },
  {
    method: 'GET',
    path: /^\/modelRepository\/models\/([^/]+)$/,
    answer: onModel((sas, model) => single(sas, modelView(sas, model), MODEL_TYPE, model.revision)),
  },
  { method: 'PUT', path: /^\/modelRepository\/models\/([^/]+)$/, answer: onModel(putModel) },
  {
    method: 'GET',
    path: /^\/modelRepository\/models\/([^/]+)\/modelVersions$/,
    answer: onModel((sas, model, { query }) =>
      collection(sas.dialect, {
        path: `${ROOT}/models/${model.id}/modelVersions`,
        name: 'modelVersions',
        items: model.frozen.map((frozen) => frozenView(sas, model, frozen)),
        query,
      }),
    ),
  },
  {
    method: 'POST',
    path: /^\/modelRepository\/models\/([^/]+)\/modelVersions$/,
    answer: onModel((sas, model, { body }) => {
      const { option } = body as { option: 'major' | 'minor' };
      const frozen = freeze(sas.state, model, option);
      return single(sas, frozenView(sas, model, frozen), 'application/vnd.sas.models.model.version+json', 1, 201);
    }),
  },
  {
    method: 'GET',
    path: /^\/modelRepository\/models\/([^/]+)\/contents$/,
    answer: onModel((sas, model, ask) => contentsReply(sas, `${ROOT}/models/${model.id}`, model.contents, false, ask)),
  },
  {
    method: 'GET',
    path: /^\/modelRepository\/models\/([^/]+)\/contents\/([^/]+)\/content$/,
    answer: onModel((sas, model, ask) =>
      bytesReply(
        sas,
        model.contents.find(({ id }) => id === ask.params[1]),
        ask.path,
      ),
    ),
  },
  {
    method: 'GET',
    path: /^\/modelRepository\/models\/([^/]+)\/modelVersions\/([^/]+)\/contents$/,
    answer: onModel((sas, model, ask) => {
      const frozen = frozenOf(model, ask);
      if (frozen === undefined) return noModel(sas, ask.params[1] ?? '', ask.path);
      return contentsReply(sas, `${ROOT}/models/${model.id}/modelVersions/${frozen.id}`, frozen.contents, true, ask);
    }),
  },
  {
    method: 'GET',
    path: /^\/modelRepository\/models\/([^/]+)\/modelVersions\/([^/]+)\/contents\/([^/]+)\/content$/,
    answer: onModel((sas, model, ask) =>
      bytesReply(
        sas,
        frozenOf(model, ask)?.contents.find(({ id }) => id === ask.params[2]),
        ask.path,
      ),
    ),
  },
];
