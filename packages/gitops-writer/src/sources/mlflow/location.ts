import { fileURLToPath } from 'node:url';
import { type Clock, FairwayError } from '@fairway/core';
import { fileStore } from './artifacts/file.ts';
import { gcsStore } from './artifacts/gcs.ts';
import { pathProblem } from './artifacts/paths.ts';
import { proxyStore } from './artifacts/proxy.ts';
import { s3Store } from './artifacts/s3.ts';
import type { ArtifactStore } from './artifacts/store.ts';
import type { MlflowClient } from './client.ts';
import type { MlflowRegistry } from './registry.ts';
import type { MlflowSettings } from './settings.ts';

export type Locations = {
  readonly settings: MlflowSettings;
  readonly client: MlflowClient;
  readonly registry: MlflowRegistry;
  /** Token of Cloud Storage; undefined without credentials. */
  readonly gcsToken: (() => Promise<string>) | undefined;
  readonly clock: Clock;
};

/** runs: → the run's own root → a store; more would be a circle. */
const MOST_HOPS = 4;

/**
 * The store behind an artifact URI of MLflow (https://mlflow.org/docs/latest/concepts.html#artifact-locations). `of`: the version,
 * as sentences name it. Throws `model.invalid` for a URI that is none, `config.invalid` for a store this writer has no access to.
 */
export async function openLocation(at: Locations, uri: string, of: string, hops = 0): Promise<ArtifactStore> {
  if (hops > MOST_HOPS) throw unusable(of, uri, 'leads in a circle');
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1]?.toLowerCase();
  switch (scheme) {
    case 'runs':
      return openLocation(at, await ofRun(at, uri, of), of, hops + 1);
    case 'models':
      return openLocation(at, await ofModel(at, uri, of), of, hops + 1);
    case 'mlflow-artifacts':
      return proxyStore(at.client, proxyPath(at, uri, of));
    case 'http':
    case 'https':
      return proxyStore(at.client, addressPath(at, uri, of));
    case 's3':
      return openS3(at, uri, of);
    case 'gs':
      return openGcs(at, uri, of);
    case 'file':
    case undefined:
      return openFile(at, uri, of);
    default:
      throw unusable(
        of,
        uri,
        `is in ${scheme}:, where Fairway cannot read; it can mlflow-artifacts:, s3:, gs: and file:`,
      );
  }
}

async function ofRun({ registry }: Locations, uri: string, of: string): Promise<string> {
  const [, id = '', path = ''] = /^runs:\/+([\w-]{1,100})(?:\/(.*))?$/i.exec(uri) ?? [];
  if (id === '') throw unusable(of, uri, 'names no run');
  return below(await registry.runRoot(id), path, of, uri);
}

/** `models:/m-<id>` is a logged model of MLflow 3, `models:/<name>/<version>` another registered version. */
async function ofModel({ registry }: Locations, uri: string, of: string): Promise<string> {
  const rest = uri.replace(/^models:\/+/i, '').split('/');
  const [first = '', second = ''] = rest;
  if (/^m-[\w-]{1,100}$/.test(first))
    return below(await registry.loggedModelRoot(first), rest.slice(1).join('/'), of, uri);
  if (!/^[1-9]\d{0,17}$/.test(second)) throw unusable(of, uri, 'names neither a logged model nor a version');
  return below(await registry.downloadUri(first, second), rest.slice(2).join('/'), of, uri);
}

function below(root: string, path: string, of: string, uri: string): string {
  const plain = path.replace(/\/+$/, '');
  if (plain !== '' && pathProblem(plain, 1_000) !== undefined) throw unusable(of, uri, 'has no plain path');
  return plain === '' ? root : `${root.replace(/\/+$/, '')}/${plain}`;
}

/** With a host, it must be ours: our credentials go there. */
function proxyPath({ settings }: Locations, uri: string, of: string): string {
  const [, host, path = ''] = /^mlflow-artifacts:(?:\/\/([^/]*))?\/*(.*)$/i.exec(uri) ?? [];
  const own = new URL(settings.url);
  if (host !== undefined && host !== '' && host !== own.host && host !== own.hostname) {
    throw unusable(of, uri, `is on another server than MLFLOW_URL (${own.host})`);
  }
  return plainPath(path, of, uri);
}

/** The proxy's own address, as servers with `--default-artifact-root http://…` have it. */
function addressPath({ settings }: Locations, uri: string, of: string): string {
  const anchor = '/api/2.0/mlflow-artifacts/artifacts';
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  const start = `${new URL(settings.url).pathname.replace(/\/$/, '')}${anchor}`;
  if (
    url?.origin !== new URL(settings.url).origin ||
    !(url.pathname === start || url.pathname.startsWith(`${start}/`))
  ) {
    throw unusable(of, uri, 'is not on the MLflow server of MLFLOW_URL');
  }
  return plainPath(decodeURIComponent(url.pathname.slice(start.length)), of, uri);
}

function openS3({ settings, clock }: Locations, uri: string, of: string): ArtifactStore {
  const { bucket, prefix } = bucketOf(uri, of);
  if (settings.s3 !== undefined) return s3Store(settings.s3, clock, bucket, prefix);
  throw noAccess(
    of,
    uri,
    'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and S3_ENDPOINT_URL where it is not Amazon',
  );
}

function openGcs({ settings, gcsToken: token }: Locations, uri: string, of: string): ArtifactStore {
  const { bucket, prefix } = bucketOf(uri, of);
  if (settings.gcs !== undefined && token !== undefined)
    return gcsStore({ endpoint: settings.gcs.endpoint, token }, bucket, prefix);
  throw noAccess(of, uri, 'set GOOGLE_APPLICATION_CREDENTIALS');
}

function openFile({ settings }: Locations, uri: string, of: string): ArtifactStore {
  const folder = filePath(uri);
  if (folder === undefined) throw unusable(of, uri, 'is a path on the machine of the tracking server');
  if (settings.fileRoot !== undefined) return fileStore(settings.fileRoot, folder);
  throw noAccess(
    of,
    uri,
    'mount that folder here and set MLFLOW_FILE_ROOT, or let the server serve artifacts (--serve-artifacts)',
  );
}

function filePath(uri: string): string | undefined {
  if (uri.startsWith('/')) return uri;
  try {
    return uri.toLowerCase().startsWith('file:/') ? fileURLToPath(uri) : undefined;
  } catch {
    return undefined;
  }
}

function bucketOf(uri: string, of: string): { bucket: string; prefix: string } {
  const [, bucket = '', path = ''] = /^\w+:\/\/([^/]+)\/*(.*)$/.exec(uri) ?? [];
  if (bucket === '') throw unusable(of, uri, 'names no bucket');
  return { bucket, prefix: plainPath(path, of, uri) };
}

function plainPath(path: string, of: string, uri: string): string {
  const plain = path.replace(/^\/+|\/+$/g, '');
  if (plain !== '' && pathProblem(plain, 1_000) !== undefined) throw unusable(of, uri, 'has no plain path');
  return plain;
}

const shown = (uri: string): string => (uri.length > 200 ? `${uri.slice(0, 200)}…` : uri);

const unusable = (of: string, uri: string, what: string): FairwayError =>
  new FairwayError(
    'model.invalid',
    `The artifacts of ${of} are at ${shown(uri)}, which ${what}; register the model from a place that can be read.`,
  );

const noAccess = (of: string, uri: string, mend: string): FairwayError =>
  new FairwayError(
    'config.invalid',
    `The artifacts of ${of} are at ${shown(uri)}, and this writer has no access there: ${mend}.`,
  );
