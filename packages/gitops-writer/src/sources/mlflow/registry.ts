import { FairwayError } from '@fairway/core';
import type { z } from 'zod';
import { type MlflowClient, NO_SUCH_ENDPOINT, type Told } from './client.ts';
import {
  DOWNLOAD_URI,
  LOGGED_MODEL,
  MODELS,
  type MlflowVersion,
  ONE_MODEL,
  ONE_VERSION,
  RUN,
  VERSIONS,
} from './shapes.ts';

export type Tags = Readonly<Record<string, string>>;

/** `unsupported`: the server is older than aliases (MLflow 2.3). */
export type Aliased = { readonly version: MlflowVersion } | { readonly none: 'alias' | 'unsupported' };

/** What Fairway asks of MLflow's model registry. All throw `model.unknown` for a registered model that is not there. */
export type MlflowRegistry = {
  readonly modelTags: (name: string) => Promise<Tags>;
  /** Every version in any state, as the server orders them. */
  readonly versions: (name: string) => Promise<MlflowVersion[]>;
  /** Throws `model.unknown` with the versions that there are. */
  readonly version: (name: string, version: string) => Promise<MlflowVersion>;
  readonly byAlias: (name: string, alias: string) => Promise<Aliased>;
  readonly byStage: (name: string, stage: string) => Promise<MlflowVersion | undefined>;
  /** Where the files of a version are, in the server's words. */
  readonly downloadUri: (name: string, version: string) => Promise<string>;
  readonly runRoot: (runId: string) => Promise<string>;
  /** Of a logged model (MLflow 3). */
  readonly loggedModelRoot: (modelId: string) => Promise<string>;
  readonly setTag: (name: string, version: string, key: string, value: string) => Promise<void>;
};

const PAGE = 200;
/** A model has tens of versions; this ends a server that never stops. */
const MOST_PAGES = 500;

export function mlflowRegistry(client: MlflowClient): MlflowRegistry {
  const model = (name: string) =>
    must(client, client.get('/mlflow/registered-models/get', ONE_MODEL, { name }), () => unknownModel(client, name));
  const ofVersion = <T>(told: Promise<Told<T>>, name: string, version: string): Promise<T> =>
    must(client, told, async () => unknownVersion(client, name, version, await everyVersion(client, name)));
  return {
    modelTags: async (name) => tagsOf((await model(name)).registered_model.tags),
    versions: async (name) => {
      const found = await everyVersion(client, name);
      if (found.length === 0) await model(name);
      return found;
    },
    version: async (name, version) => {
      const told = client.get('/mlflow/model-versions/get', ONE_VERSION, { name, version });
      return (await ofVersion(told, name, version)).model_version;
    },
    byAlias: (name, alias) => byAlias(client, name, alias),
    byStage: (name, stage) => byStage(client, name, stage),
    downloadUri: async (name, version) => {
      const told = client.get('/mlflow/model-versions/get-download-uri', DOWNLOAD_URI, { name, version });
      return (await ofVersion(told, name, version)).artifact_uri;
    },
    runRoot: async (id) => {
      const told = client.get('/mlflow/runs/get', RUN, { run_id: id });
      return (await must(client, told, gone('run', id))).run.info.artifact_uri;
    },
    loggedModelRoot: async (id) => {
      const told = client.get(`/mlflow/logged-models/${encodeURIComponent(id)}`, LOGGED_MODEL);
      return (await must(client, told, gone('logged model', id))).model.info.artifact_uri;
    },
    setTag: async (name, version, key, value) => {
      const told = client.post('/mlflow/model-versions/set-tag', { name, version, key, value });
      await ofVersion(told, name, version);
    },
  };
}

/** What was told; `missing` makes the error for what the server does not have. */
async function must<T>(client: MlflowClient, told: Promise<Told<T>>, missing: () => Promise<FairwayError>): Promise<T> {
  const answer = await told;
  if ('data' in answer) return answer.data;
  const { refusal } = answer;
  throw refusal.code === 'RESOURCE_DOES_NOT_EXIST' ? await missing() : client.unexpected(refusal);
}

async function everyVersion(client: MlflowClient, name: string): Promise<MlflowVersion[]> {
  const query = { filter: nameFilter(name) };
  const found = await paged(client, '/mlflow/model-versions/search', VERSIONS, query, (page) => page.model_versions);
  // The filter is a search language of the server, and some databases compare without case; it must be exactly this one.
  return found.filter((version) => version.name === name);
}

async function byStage(client: MlflowClient, name: string, stage: string): Promise<MlflowVersion | undefined> {
  const told = client.get('/mlflow/registered-models/get-latest-versions', VERSIONS, { name, stages: stage });
  const { model_versions: found } = await must(client, told, () => unknownModel(client, name));
  return found.filter(({ current_stage: its }) => its === stage).at(-1);
}

export const tagsOf = (tags: ReadonlyArray<{ key: string; value: string }>): Tags =>
  Object.fromEntries(tags.map(({ key, value }) => [key, value]));

const gone = (what: string, id: string) => () =>
  Promise.resolve(
    new FairwayError(
      'model.unknown',
      `The MLflow server no longer has ${what} ${id}, from which the version was registered; register the model again.`,
    ),
  );

/**
 * A missing alias is INVALID_PARAMETER_VALUE on databases and files, RESOURCE_DOES_NOT_EXIST elsewhere; a missing model is
 * always the latter, so the model is asked for before "no alias" is believed.
 */
async function byAlias(client: MlflowClient, name: string, alias: string): Promise<Aliased> {
  const answer = await client.get('/mlflow/registered-models/alias', ONE_VERSION, { name, alias });
  if ('data' in answer) return { version: answer.data.model_version };
  const { refusal } = answer;
  const isOld = [NO_SUCH_ENDPOINT, 'ENDPOINT_NOT_FOUND'].includes(refusal.code);
  const isMissing =
    refusal.code === 'RESOURCE_DOES_NOT_EXIST' ||
    (refusal.code === 'INVALID_PARAMETER_VALUE' && /alias .*not found/i.test(refusal.message));
  if (!isOld && !isMissing) throw client.unexpected(refusal);
  const model = await client.get('/mlflow/registered-models/get', ONE_MODEL, { name });
  if ('data' in model) return { none: isOld ? 'unsupported' : 'alias' };
  throw model.refusal.code === 'RESOURCE_DOES_NOT_EXIST'
    ? await unknownModel(client, name)
    : client.unexpected(model.refusal);
}

/** Strings of the filter language have no escapes, but two kinds of quotation marks. */
function nameFilter(name: string): string {
  if (!name.includes("'")) return `name='${name}'`;
  if (!name.includes('"')) return `name="${name}"`;
  throw new FairwayError(
    'input.invalid',
    `MLflow cannot search for a registered model with both kinds of quotation marks in its name (${name}); rename it.`,
  );
}

async function paged<S extends z.ZodType<{ next_page_token?: string | undefined }>, T>(
  client: MlflowClient,
  path: string,
  shape: S,
  query: Readonly<Record<string, string>>,
  of: (page: z.output<S>) => readonly T[],
): Promise<T[]> {
  const found: T[] = [];
  const seen = new Set<string>();
  for (let token = ''; ; ) {
    const page = await client.get(path, shape, {
      ...query,
      max_results: PAGE,
      ...(token === '' ? {} : { page_token: token }),
    });
    if ('refusal' in page) throw client.unexpected(page.refusal);
    found.push(...of(page.data));
    token = page.data.next_page_token ?? '';
    if (token === '') return found;
    if (seen.has(token) || seen.size >= MOST_PAGES) {
      throw new FairwayError(
        'registry.unavailable',
        `The MLflow server at ${client.at} pages in a circle (${path}); what it lists cannot be believed.`,
      );
    }
    seen.add(token);
  }
}

const SHOWN = 20;
const some = (names: readonly string[]): string =>
  names.length <= SHOWN ? names.join(', ') : `${names.slice(0, SHOWN).join(', ')} and ${names.length - SHOWN} more`;

async function unknownModel(client: MlflowClient, name: string): Promise<FairwayError> {
  const page = await client.get('/mlflow/registered-models/search', MODELS, { max_results: 100 });
  const known = 'data' in page ? page.data.registered_models.map((model) => model.name) : [];
  const has = known.length === 0 ? 'it has none that we may see' : `it has: ${some(known)}`;
  return new FairwayError(
    'model.unknown',
    `The MLflow server at ${client.at} has no registered model ${JSON.stringify(name)}; ${has}. Correct source in model.yaml, or register it.`,
  );
}

async function unknownVersion(
  client: MlflowClient,
  name: string,
  version: string,
  known: readonly MlflowVersion[],
): Promise<FairwayError> {
  if (known.length === 0) {
    // A model without versions is known all the same.
    const model = await client.get('/mlflow/registered-models/get', ONE_MODEL, { name });
    if ('refusal' in model) return unknownModel(client, name);
  }
  const names = known.map((one) => one.version).sort((a, b) => Number(a) - Number(b));
  const are = names.length === 0 ? 'it has none yet' : `there are: ${some(names)}`;
  return new FairwayError('model.unknown', `Version ${version} of registered model ${name} is not in MLflow; ${are}.`);
}
