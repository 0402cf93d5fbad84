import { imageError } from '../errors.ts';
import { REF_NAME } from '../media.ts';
import { indexFile } from './index-file.ts';

/**
 * The digest of what an OCI layout folder that others wrote offers under `ref` (`org.opencontainers.image.ref.name`), or of its
 * only image. `setting` begins the sentences. Throws `image.failed`.
 */
export async function findInLayout(folder: string, ref: string | undefined, setting: string): Promise<string> {
  const all = await indexFile(folder).all();
  const images = all.filter(({ artifactType }) => artifactType === undefined);
  const names = images.map(({ annotations }) => annotations?.[REF_NAME]);
  if (images.length === 0) throw imageError(`${setting} ${folder} is no OCI image layout with an image in it.`);
  const offers = names.some(Boolean) ? ` It has ${names.filter(Boolean).join(', ')}.` : ' Its images have no names.';
  const found = ref === undefined ? images : images.filter(({ annotations }) => annotations?.[REF_NAME] === ref);
  const [only] = found;
  if (only === undefined) throw imageError(`${setting} ${folder} has no image ${ref}.${offers}`);
  if (new Set(found.map(({ digest }) => digest)).size > 1)
    throw imageError(`${setting} ${folder} has several images; say which one, as ${folder}:REF.${offers}`);
  return only.digest;
}
