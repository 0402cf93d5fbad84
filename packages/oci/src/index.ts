export { type Base, type Dropped, readBase } from './base.ts';
export {
  type BuiltImage,
  buildImage,
  type ImageBuilding,
  type ImageRequest,
  imageBuilding,
  type Labelled,
} from './build.ts';
export { PARTS_TYPE, PROVENANCE_TYPE } from './attach.ts';
export { layoutStore } from './layout/store.ts';
export { hostOf, type ImageName, imageName, isLoopback, parseReference, type Reference } from './names.ts';
export { type Proof, proveImage } from './prove.ts';
export type { RegistryOptions } from './registry/client.ts';
export { type Credential, type Credentials, dockerCredentials } from './registry/credentials.ts';
export { registryStore } from './registry/store.ts';
export type { Descriptor, ImageStore, Manifest, NewBlob, Platform, Stored } from './store.ts';
