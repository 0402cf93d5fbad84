import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bundled } from '../../tools/images/bundle.ts';
import { IMAGES, pathIn } from '../../tools/images/catalog.ts';
import { ROOT } from '../guards/source.ts';

/** What Node is given to run a service as it ships: the program of its image, laid down below `folder`, with the options of both. */
export async function shipped(service: 'writer' | 'recorder' | 'monitor', folder: string): Promise<readonly string[]> {
  const { options, program } = await laidDown(service, folder);
  return [...options, ...nodeOptions(service), program];
}

/** The same of an agent; the rest of what pods tell it is in its environment (`agentMemory`). */
export async function shippedAgent(folder: string): Promise<readonly string[]> {
  const { options, program } = await laidDown('agent', folder);
  return [...options, program];
}

async function laidDown(
  name: 'writer' | 'recorder' | 'monitor' | 'agent',
  folder: string,
): Promise<{ readonly options: readonly string[]; readonly program: string }> {
  const image = IMAGES.find((one) => one.name === name);
  if (image === undefined) throw new Error(`there is no image of the ${name} any more`);
  for (const { path, bytes } of (await bundled(ROOT, image.bundle)).files) {
    const at = join(folder, path);
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, bytes);
  }
  return { options: image.options ?? [], program: join(folder, pathIn(image.bundle, `${image.entry}.mjs`)) };
}

function nodeOptions(service: string): string[] {
  const manifest = `manifests/install/services/${service}/deployment.yaml`;
  const [, options] = /NODE_OPTIONS, value: "?([^"}]+?)"? \}/.exec(readFileSync(join(ROOT, manifest), 'utf8')) ?? [];
  if (options === undefined) throw new Error(`${manifest} sets no NODE_OPTIONS any more`);
  return options.split(' ');
}
