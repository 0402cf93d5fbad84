import { type ImageStore, imageBuilding } from '@fairway/oci';
import type { ImageBuilder } from '../ports.ts';

/** `repository`: prefix of image names; `base`: `name@sha256:…` of TensorFlow Serving. */
export type ImageSettings = { readonly repository: string; readonly base: string };

/** The writer's images: serving ones, on the base, in `store`. */
export function imageBuilder(store: ImageStore, { repository, base }: ImageSettings): ImageBuilder {
  const images = imageBuilding(store);
  return {
    build: async ({ modelVersion: model, folder, approval }) => {
      const kind = { of: 'serving' as const, base };
      return (await images.build({ model, folder, repository, approval, kind })).reference;
    },
  };
}
