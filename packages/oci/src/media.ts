/** Media types of the OCI image specification 1.1, and Docker's older names for the same bytes. */
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
/** Plain: weights hardly compress, and the bytes of gzip differ between zlib versions. */
export const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar';
export const OCI_LAYER_GZIP = 'application/vnd.oci.image.layer.v1.tar+gzip';
/** Configuration of an artifact that is no image: `{}`. */
export const OCI_EMPTY = 'application/vnd.oci.empty.v1+json';

const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';

const OCI_NAMES: Readonly<Record<string, string>> = {
  [DOCKER_MANIFEST]: OCI_MANIFEST,
  [DOCKER_LIST]: OCI_INDEX,
  'application/vnd.docker.container.image.v1+json': OCI_CONFIG,
  'application/vnd.docker.image.rootfs.diff.tar': OCI_LAYER,
  'application/vnd.docker.image.rootfs.diff.tar.gzip': OCI_LAYER_GZIP,
};

/** The OCI name of a media type: Docker's bytes are the same, so a whole image can be renamed and no blob changes. */
export const ociType = (mediaType: string): string => OCI_NAMES[mediaType] ?? mediaType;

export const MANIFEST_TYPES: readonly string[] = [OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST];

/** Layers that registries must not be given (image-spec, "non-distributable"). */
export const isUndistributable = (mediaType: string): boolean =>
  mediaType.includes('nondistributable') || mediaType.includes('.foreign.');

export const REF_NAME = 'org.opencontainers.image.ref.name';
