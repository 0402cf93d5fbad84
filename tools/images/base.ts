import { existsSync } from 'node:fs';
import { FairwayError } from '@fairway/core';
import {
  type Base,
  type BaseRule,
  findInLayout,
  type ImageStore,
  layoutStore,
  pathsHeld,
  pathsOf,
  readBase,
} from '@fairway/oci';
import { chosen, type ImageSpec } from './catalog.ts';

export type OpenBase = { readonly store: ImageStore; readonly base: Base };

const PROCESSORS = ['amd64', 'arm64'];
const RULE: BaseRule = {
  setting: '--base',
  reasonToDrop: ({ os, architecture }) =>
    os === 'linux' && PROCESSORS.includes(architecture)
      ? undefined
      : `Fairway runs on linux/amd64 and linux/arm64, this is for ${os}/${architecture}`,
};

/**
 * What each image is put on, from `LAYOUT[:REF]` for all and `NAME=LAYOUT[:REF]` for one. Throws `config.invalid` when there is no image
 * of that name, or one has no base or its base lacks a program, `image.failed` when one cannot be built on.
 */
export async function basesOf(
  images: readonly ImageSpec[],
  given: readonly string[],
): Promise<(name: string) => OpenBase> {
  const opened = new Map<string, OpenBase>();
  for (const text of given) {
    const [, name = '', place = ''] = /^(?:([a-z]+)=)?(.*)$/s.exec(text) ?? [];
    if (name !== '') chosen([name]);
    opened.set(name, await open(place));
  }
  const baseOf = (name: string): OpenBase => {
    const base = opened.get(name) ?? opened.get('');
    if (base !== undefined) return base;
    throw new FairwayError(
      'config.invalid',
      `Say what ${name} is built on: --base LAYOUT[:REF], an OCI image layout with Node in it, as "skopeo copy --all docker://NODE@sha256:… oci:LAYOUT:REF" writes it.`,
    );
  };
  for (const { name } of images) baseOf(name);
  const paths = once(pathsBelow);
  for (const image of images) refuseWithout(image, await paths(baseOf(image.name)));
  return baseOf;
}

async function open(place: string): Promise<OpenBase> {
  const colon = place.lastIndexOf(':');
  const isNamed = !existsSync(place) && colon > 0;
  const folder = isNamed ? place.slice(0, colon) : place;
  if (!existsSync(folder)) {
    throw new FairwayError(
      'config.invalid',
      `--base ${place}: there is no folder ${folder || '""'}; give an OCI image layout.`,
    );
  }
  const digest = await findInLayout(folder, isNamed ? place.slice(colon + 1) : undefined, '--base');
  const store = layoutStore(folder, '--base');
  return { store, base: await readBase(store, `${folder}@${digest}`, RULE) };
}

/** What the images of a base hold, and where each looks for programs; nothing of one whose layers cannot all be read here. */
type Held = { readonly on: string; readonly paths: ReadonlySet<string>; readonly folders: readonly string[] };

async function pathsBelow({ store, base }: OpenBase): Promise<Held[]> {
  const held: Held[] = [];
  for (const { manifest, config, platform } of base.images) {
    const layers = [];
    for (const { digest, mediaType } of manifest.layers)
      layers.push(await pathsOf(store.read(base.name, digest), mediaType, `Layer ${digest} of --base`));
    const readable = layers.filter((paths) => paths !== undefined);
    if (readable.length < layers.length) continue;
    const path = config.config?.Env?.find((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) ?? DEFAULT_PATH;
    const folders = path.split(':').map((folder) => folder.replace(/^\/|\/$/g, ''));
    held.push({
      on: `${platform.os}/${platform.architecture}`,
      paths: pathsHeld(readable),
      folders,
    });
  }
  return held;
}

/** As container runtimes have it for an image that sets none. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function refuseWithout({ name, needs }: ImageSpec, held: readonly Held[]): void {
  for (const { on, paths, folders } of held) {
    const missing = needs.find((program) => !folders.some((folder) => paths.has(`${folder}/${program}`)));
    if (missing === undefined) continue;
    throw new FairwayError(
      'config.invalid',
      `The base of ${name} has no ${missing} on its PATH for ${on}: give one that has it, as --base ${name}=LAYOUT[:REF].`,
    );
  }
}

function once<K extends object, V>(work: (key: K) => V): (key: K) => V {
  const done = new Map<K, V>();
  return (key) => {
    const value = done.get(key) ?? work(key);
    done.set(key, value);
    return value;
  };
}
