// npm run images: Fairway's own images as an OCI image layout, without a daemon (docs/images.md).
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { asFairwayError, FairwayError } from '@fairway/core';
import { buildImages, type Made, writeFiles } from './build.ts';
import { sourceOf } from './source.ts';

const USAGE = `npm run images -- --oci DIR --base [NAME=]LAYOUT[:REF]...   images in an OCI image layout
npm run images -- --files DIR                               what their layers hold, for the Containerfile

  --only NAME          one image; may be said again (writer, recorder, monitor, agent, injector)
  --revision SHA       commit of the sources, where Git cannot say it
  --source URL         address of the repository, for the label
  --statements DIR     parts list and provenance of each image as files, too
  SOURCE_DATE_EPOCH    time of the images in seconds since 1970; that of the commit without it`;

const OPTIONS = {
  oci: { type: 'string' },
  files: { type: 'string' },
  base: { type: 'string', multiple: true, default: [] as string[] },
  only: { type: 'string', multiple: true, default: [] as string[] },
  revision: { type: 'string' },
  source: { type: 'string' },
  statements: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

function options() {
  try {
    return parseArgs({ options: OPTIONS, strict: true }).values;
  } catch (error) {
    throw new FairwayError('config.invalid', `${(error as Error).message}\n\n${USAGE}`);
  }
}

async function main(): Promise<void> {
  const { oci, files, base, only, revision, source, statements, help } = options();
  const root = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '');
  if (help) return console.log(USAGE);
  if ((oci === undefined) === (files === undefined))
    throw new FairwayError('config.invalid', `Say either --oci DIR or --files DIR.\n\n${USAGE}`);
  if (files !== undefined) {
    for (const path of await writeFiles({ root, only }, files)) console.log(`/${path}`);
    return;
  }
  const from = sourceOf(root, { revision, source }, process.env);
  if (from.dirty) console.error('Files differ from the commit: the revision of these images ends in -dirty.');
  if (source === undefined) console.error('No --source: the images will not say where their sources are.');
  tell(await buildImages({ root, only, oci: oci ?? '', bases: base, source: from, statements }));
}

function tell(images: readonly Made[]): void {
  const dropped = new Map(images.flatMap((image) => image.dropped).map(({ digest, reason }) => [digest, reason]));
  for (const [digest, reason] of dropped) console.error(`Left out of the base: ${digest}, since ${reason}.`);
  for (const { name, tag, digest, layer, platforms } of images) {
    const on = platforms.map(({ os, architecture }) => `${os}/${architecture}`).join(',');
    console.log(`${name}:${tag} ${digest} ${(layer.size / 1e6).toFixed(2)} MB ${on}`);
  }
}

try {
  await main();
} catch (error) {
  console.error(asFairwayError(error).message);
  process.exitCode = 1;
}
