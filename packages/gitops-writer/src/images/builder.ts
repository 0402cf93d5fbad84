import { type ImageStore, imageBuilding } from '@fairway/oci';
import type { ImageBuilder } from '../ports.ts';

/** `repository`: prefix of image names; `base`: `name@sha256:…` of TensorFlow Serving. */
export type ImageSettings = { readonly repository: string; readonly base: string };

const GPU_IMAGE = 'serving.gpu.image in model.yaml';

/** The writer's images: serving ones, on its base or the one asked for, in `store`. */
export function imageBuilder(store: ImageStore, { repository, base: ownBase }: ImageSettings): ImageBuilder {
  const images = imageBuilding(store);
  return {
    build: async ({ modelVersion: model, folder, approval, base }) => {
      const ground = base === undefined ? { base: ownBase } : { base, setting: GPU_IMAGE };
      const kind = { of: 'serving' as const, ...ground };
      return (await images.build({ model, folder, repository, approval, kind })).reference;
    },
  };
}
