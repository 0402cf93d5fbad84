import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { canonicalJson, FairwayError, sha256 } from '@fairway/core';
import { type Appended, appendLayer, type Dropped, type ImageStore, layoutStore, tarOf } from '@fairway/oci';
import { basesOf, type OpenBase } from './base.ts';
import { bundled, type Bundled } from './bundle.ts';
import { type Bundle, chosen, entrypoint, ENV, type ImageSpec, USER } from './catalog.ts';
import type { Source } from './source.ts';
import { statementsOf } from './statements.ts';

export type Wanted = {
  /** Of the checkout. */
  readonly root: string;
  /** Names of images; all without any. */
  readonly only: readonly string[];
};
export type WantedImages = Wanted & {
  /** The layout: a folder that is not there, or empty. */
  readonly oci: string;
  readonly bases: readonly string[];
  readonly source: Source;
  /** Folder for `<name>.cdx.json` and `<name>.provenance.json`. */
  readonly statements: string | undefined;
};
export type Made = Appended & { readonly dropped: readonly Dropped[] };

type Setting = {
  readonly wanted: WantedImages;
  readonly store: ImageStore;
  readonly version: string;
  readonly lock: string;
};

/** Builds the images into one layout, whose blobs they share. Throws `config.invalid` or `image.failed`, and then leaves no layout. */
export async function buildImages(wanted: WantedImages): Promise<Made[]> {
  const { root, oci, only } = wanted;
  const images = chosen(only);
  refuseFull(oci, '--oci');
  const baseOf = await basesOf(images, wanted.bases);
  const lock = readFileSync(join(root, 'package-lock.json'));
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const setting: Setting = { wanted, store: layoutStore(oci, '--oci'), version, lock: sha256(lock) };
  const layers = await bundledOnce(root, images);
  const made: Made[] = [];
  try {
    for (const image of images) made.push(await built(setting, image, baseOf(image.name), layers(image.bundle)));
  } catch (error) {
    for (const entry of readdirSync(oci)) rmSync(join(oci, entry), { recursive: true });
    throw error;
  }
  return made;
}

/** Writes what the layers of the images hold into a folder, as a Containerfile copies it. Answers its files. */
export async function writeFiles({ root, only }: Wanted, folder: string): Promise<string[]> {
  refuseFull(folder, '--files');
  const images = chosen(only);
  const layers = await bundledOnce(root, images);
  const files = [...new Set(images.map(({ bundle }) => bundle))].flatMap((bundle) => [...layers(bundle).files]);
  const folders = new Set<string>();
  for (const { path, bytes } of files) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
    writeFileSync(target, bytes, { mode: 0o644 });
    utimesSync(target, 0, 0);
    for (let above = dirname(path); above !== '.'; above = dirname(above)) folders.add(above);
  }
  for (const above of folders) utimesSync(join(folder, above), 0, 0);
  return files.map(({ path }) => path);
}

async function bundledOnce(root: string, images: readonly ImageSpec[]): Promise<(bundle: Bundle) => Bundled> {
  const layers = new Map<Bundle, Bundled>();
  for (const { bundle } of images) if (!layers.has(bundle)) layers.set(bundle, await bundled(root, bundle));
  return (bundle) => layers.get(bundle) ?? { files: [], parts: [] };
}

async function built(
  setting: Setting,
  image: ImageSpec,
  { store: from, base }: OpenBase,
  layer: Bundled,
): Promise<Made> {
  const { wanted, store, version, lock } = setting;
  const { source } = wanted;
  const name = `fairway/${image.name}`;
  const labels = labelsOf(image, source, version);
  const appended = await appendLayer(store, {
    name,
    tag: version,
    ground: { ...base, base },
    from,
    open: () => tarOf(layer.files),
    annotations: { ...labels, 'org.opencontainers.image.base.digest': base.digest },
    created: source.created,
    createdBy: `fairway: ${image.name} ${source.revision}`,
    settings: (settings) => settingsOf(image, labels, settings),
    statements: ({ digest }) => {
      const all = statementsOf({ image, name, digest, base, bundled: layer, source, lock });
      for (const { ending, body } of all) writeStatement(wanted.statements, `${image.name}.${ending}`, body);
      return all;
    },
  });
  return { ...appended, dropped: base.dropped };
}

type Settings = { readonly Env?: readonly string[] | null | undefined; readonly [key: string]: unknown };

const OF_THE_BASE = ['Cmd', 'Healthcheck'];

/** What the base starts is not ours: its command, health check and folder go; its environment and labels stay. */
function settingsOf(image: ImageSpec, labels: object, settings: Settings): object {
  const kept = Object.fromEntries(Object.entries(settings).filter(([name]) => !OF_THE_BASE.includes(name)));
  const names = ENV.map((entry) => entry.slice(0, entry.indexOf('=') + 1));
  const env = (settings.Env ?? []).filter((entry) => !names.some((name) => entry.startsWith(name)));
  return {
    ...kept,
    Env: [...env, ...ENV],
    User: USER,
    WorkingDir: '/',
    Entrypoint: entrypoint(image),
    StopSignal: 'SIGTERM',
    Labels: { ...(settings['Labels'] as object | undefined), ...labels },
  };
}

/** Pre-defined annotation keys of image-spec 1.1. */
function labelsOf(image: ImageSpec, source: Source, version: string): Record<string, string> {
  const key = (name: string) => `org.opencontainers.image.${name}`;
  return {
    [key('title')]: `fairway-${image.name}`,
    [key('description')]: image.description,
    [key('version')]: version,
    [key('revision')]: source.revision,
    [key('created')]: source.created,
    [key('licenses')]: 'Apache-2.0',
    ...(source.url === undefined ? {} : { [key('source')]: source.url }),
  };
}

function writeStatement(folder: string | undefined, name: string, body: object): void {
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), `${canonicalJson(body)}\n`);
}

function refuseFull(folder: string, option: string): void {
  let entries: string[];
  try {
    entries = readdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return;
    throw new FairwayError('config.invalid', `${option} ${folder} cannot be used: ${code}. Give a folder.`);
  }
  if (entries.length > 0)
    throw new FairwayError('config.invalid', `${option} ${folder} is not empty: give a new folder, or empty it.`);
}
