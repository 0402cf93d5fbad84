import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { imageError } from './errors.ts';
import { OCI_LAYER, OCI_LAYER_GZIP } from './media.ts';

/**
 * Paths of what is in a layer, without a leading `/` or `./`, in its order; undefined when it is compressed in a way that cannot be
 * read here (zstd). Throws `image.failed` when it is no such tar; `what` begins the sentence.
 */
export async function pathsOf(
  layer: AsyncIterable<Buffer>,
  mediaType: string,
  what: string,
): Promise<readonly string[] | undefined> {
  if (mediaType !== OCI_LAYER && mediaType !== OCI_LAYER_GZIP) return undefined;
  const paths: string[] = [];
  const archive = extract();
  archive.on('entry', ({ name }, content, next) => {
    paths.push(name.replace(/^\.?\//, ''));
    content.on('end', next).resume();
  });
  try {
    await (mediaType === OCI_LAYER ? pipeline(layer, archive) : pipeline(layer, createGunzip(), archive));
  } catch (error) {
    if ((error as Error).name === 'FairwayError') throw error;
    throw imageError(`${what} cannot be read: ${(error as Error).message}. Fetch the image again.`, 'terminal', error);
  }
  return paths;
}
