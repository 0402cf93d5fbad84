import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readEnv, systemClock } from '@fairway/core';
import { type Mlflow, openMlflow } from '../../../packages/gitops-writer/src/sources/mlflow/open.ts';
import { MLFLOW_ENV, mlflowSettings } from '../../../packages/gitops-writer/src/sources/mlflow/settings.ts';
import { type FakeGcs, startGcs } from './gcs.ts';
import { type FakeS3, startS3 } from './s3.ts';
import { type Dialect, type FakeTracking, type FakeVersion, startTracking } from './tracking.ts';

export type Store = 'proxy' | 's3' | 'gs' | 'file';
export const NAME = 'credit.home equity';
export const PASSWORD = 'pa:ss/of the tests';

/** A tracking server, the stores it may keep artifacts in, and our client of all of them. */
export type MlflowWorld = {
  readonly tracking: FakeTracking;
  readonly s3: FakeS3;
  readonly gcs: FakeGcs;
  readonly mlflow: Mlflow;
  readonly scratch: string;
  readonly fileRoot: string;
  readonly secrets: readonly string[];
  /** Registers files (path below the root of the artifacts → bytes) as the next version. */
  readonly register: (files: Files, tags?: Readonly<Record<string, string>>) => FakeVersion;
  /** Changes one of them where it lies. */
  readonly overwrite: (version: FakeVersion, path: string, bytes: Buffer) => void;
  readonly read: (version: FakeVersion, path: string) => Buffer;
  readonly stop: () => Promise<void>;
};
export type Files = ReadonlyMap<string, Buffer>;

const S3 = {
  bucket: 'models',
  region: 'eu-central-1',
  accessKeyId: 'AKFAIRWAYTESTS',
  secretAccessKey: 's3cret/of+the=tests',
  sessionToken: 'session/token',
};

export async function startWorld(
  dialect: Dialect,
  store: Store,
  more: Readonly<Record<string, string>> = {},
): Promise<MlflowWorld> {
  const dir = mkdtempSync(join(tmpdir(), 'fairway-mlflow-'));
  const [tracking, s3, gcs] = await Promise.all([
    startTracking(dialect, { basic: { user: 'fairway', password: PASSWORD } }),
    startS3(S3, () => systemClock.now()),
    startGcs('models', () => systemClock.now()),
  ]);
  const fileRoot = join(dir, 'mlruns');
  const scratch = join(dir, 'scratch');
  mkdirSync(fileRoot);
  writeFileSync(join(dir, 'key.json'), gcs.keyFile);
  const urls = { MLFLOW_URL: tracking.url, S3_ENDPOINT_URL: s3.url, GCS_ENDPOINT_URL: gcs.url };
  const paths = { MLFLOW_FILE_ROOT: fileRoot, GOOGLE_APPLICATION_CREDENTIALS: join(dir, 'key.json') };
  const settings = mlflowSettings(readEnv({ ...urls, ...paths, ...CREDENTIALS, ...more }, MLFLOW_ENV));
  if (settings === undefined) throw new Error('MLFLOW_URL is not set');
  const mlflow = openMlflow(settings, scratch, systemClock);
  const shelf = shelfOf(store, { tracking, s3, gcs, fileRoot });
  tracking.models.set(NAME, { name: NAME, versions: [], tags: new Map(), aliases: new Map() });
  return {
    tracking,
    s3,
    gcs,
    mlflow,
    scratch,
    fileRoot,
    secrets: [PASSWORD, S3.secretAccessKey, S3.sessionToken, Buffer.from(`fairway:${PASSWORD}`).toString('base64')],
    register: (files, tags = {}) => register(tracking, shelf, files, tags),
    overwrite: (version, path, bytes) => shelf.put(join(rootOf(version), path), bytes),
    read: (version, path) => shelf.get(join(rootOf(version), path)),
    stop: async () => {
      mlflow.close();
      await Promise.all([tracking.down(), s3.down(), gcs.down()]);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const CREDENTIALS = {
  MLFLOW_USERNAME: 'fairway',
  MLFLOW_PASSWORD: PASSWORD,
  AWS_ACCESS_KEY_ID: S3.accessKeyId,
  AWS_SECRET_ACCESS_KEY: S3.secretAccessKey,
  AWS_SESSION_TOKEN: S3.sessionToken,
  AWS_REGION: S3.region,
};

/** Where artifacts lie: `uri` of a folder, and its files. */
type Shelf = {
  readonly uri: (folder: string) => string;
  put(path: string, bytes: Buffer): void;
  get(path: string): Buffer;
};

function shelfOf(store: Store, at: Pick<MlflowWorld, 'tracking' | 's3' | 'gcs' | 'fileRoot'>): Shelf {
  const map = (objects: Map<string, Buffer>, prefix: string, uri: string): Shelf => ({
    uri: (folder) => `${uri}/${folder}`,
    put: (path, bytes) => void objects.set(prefix + path, bytes),
    get: (path) => objects.get(prefix + path) ?? Buffer.alloc(0),
  });
  const shelves: Readonly<Record<Store, Shelf>> = {
    proxy: map(at.tracking.artifacts, '', 'mlflow-artifacts:'),
    s3: map(at.s3.objects, 'mlflow/', 's3://models/mlflow'),
    gs: map(at.gcs.objects, 'mlflow/', 'gs://models/mlflow'),
    file: {
      uri: (folder) => `file://${join(at.fileRoot, folder)}`,
      put: (path, bytes) => {
        mkdirSync(dirname(join(at.fileRoot, path)), { recursive: true });
        writeFileSync(join(at.fileRoot, path), bytes);
      },
      get: (path) => readFileSync(join(at.fileRoot, path)),
    },
  };
  return shelves[store];
}

const idOf = (version: string): string => version.padStart(32, '0');

/** Folder below the root of the store: by run, or by logged model. */
const rootOf = ({ version, modelId }: FakeVersion): string =>
  modelId === undefined ? `1/${idOf(version)}/artifacts/model` : `1/models/${modelId}/artifacts`;

function register(
  tracking: FakeTracking,
  shelf: Shelf,
  files: Files,
  tags: Readonly<Record<string, string>>,
): FakeVersion {
  const versions: FakeVersion[] = tracking.models.get(NAME)?.versions ?? [];
  const number = String(versions.length + 1);
  const isLogged = tracking.dialect === '3.4';
  const runId = idOf(number);
  const modelId = isLogged ? `m-${idOf(number)}` : undefined;
  const at = 1_780_000_000_000 + versions.length * 60_000;
  const version: FakeVersion = {
    name: NAME,
    version: number,
    createdAt: at,
    updatedAt: at,
    stage: 'None',
    source: isLogged ? `models:/${modelId}` : `${shelf.uri(`1/${runId}/artifacts`)}/model`,
    runId,
    modelId,
    location: '',
    status: 'READY',
    statusMessage: undefined,
    tags: new Map(Object.entries(tags)),
  };
  version.location = shelf.uri(rootOf(version));
  tracking.runs.set(runId, shelf.uri(`1/${runId}/artifacts`));
  if (modelId !== undefined) tracking.loggedModels.set(modelId, version.location);
  for (const [path, bytes] of files) shelf.put(`${rootOf(version)}/${path}`, bytes);
  versions.push(version);
  return version;
}

/** The files of a folder, their paths below `prefix`. */
export function filesIn(folder: string, prefix = ''): Map<string, Buffer> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  );
  return new Map(names.map((name) => [prefix + name.replaceAll('\\', '/'), readFileSync(join(folder, name))]));
}
