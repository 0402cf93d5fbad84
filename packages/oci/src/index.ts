export { type Appended, appendLayer } from './append.ts';
export { type Base, type BaseRule, type Dropped, readBase } from './base.ts';
export {
  type BuiltImage,
  buildImage,
  type ImageBuilding,
  type ImageRequest,
  imageBuilding,
  type Labelled,
} from './build.ts';
export { PARTS_TYPE, PROVENANCE_TYPE } from './attach.ts';
export { findInLayout } from './layout/find.ts';
export { layoutStore } from './layout/store.ts';
export { hostOf, type ImageName, imageName, isLoopback, parseReference, type Reference } from './names.ts';
export { pathsOf } from './paths.ts';
export { type Proof, proveImage } from './prove.ts';
export type { RegistryOptions } from './registry/client.ts';
export { type Credential, type Credentials, dockerCredentials } from './registry/credentials.ts';
export { registryStore } from './registry/store.ts';
export { type LayerFile, tarOf } from './tar.ts';
export { hiddenBy, pathsHeld } from './whiteouts.ts';
export type { Descriptor, ImageStore, Manifest, NewBlob, Platform, Stored } from './store.ts';
