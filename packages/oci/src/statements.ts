import type { Base } from './base.ts';
import type { ImageRequest } from './build.ts';
import type { FileDigest } from './layer.ts';

/** What is said about an image that was built; nothing of it changes when it is said again. */
export type Facts = {
  readonly request: ImageRequest;
  readonly name: string;
  readonly top: { readonly digest: string };
  readonly base: Base | undefined;
  readonly files: readonly FileDigest[];
};

const hex = (digest: string): string => digest.slice(digest.indexOf(':') + 1);

/** Described in docs/intake.md, "Images without a daemon". */
const BUILD_TYPE = 'https://fairway.dev/intake/image/v1';
const BUILDER = 'https://fairway.dev/builder';
/** Our digest over a tree is no sha256 of one file: it gets a name of its own, as in-toto's DigestSet allows. */
const TREE = 'fairwaySavedModelTree';

/** An in-toto Statement v1 with SLSA provenance v1: how the image came about. Unsigned; without times, so that it can be made again. */
export function provenance({ request, name, top, base }: Facts): object {
  const { model, approval, kind } = request;
  const { model: called, version, digest, origin } = model;
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name, digest: { sha256: hex(top.digest) } }],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: {
          model: called,
          version,
          source: origin,
          kind: kind.of,
          ...(approval === undefined ? {} : { approval }),
        },
        resolvedDependencies: [
          { name: 'model', uri: origin, digest: { [TREE]: hex(digest) } },
          ...(base === undefined
            ? []
            : [{ name: 'base', uri: ociUrl(base.name, base.digest), digest: { sha256: hex(base.digest) } }]),
        ],
      },
      runDetails: { builder: { id: BUILDER } },
    },
  };
}

/** CycloneDX 1.6, which needs neither a time nor a random serial number: the model's files and the base. */
export function partsList({ request, name, top, base, files }: Facts): object {
  const { model, version, digest } = request.model;
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: { type: 'container', 'bom-ref': 'image', name, version: top.digest, purl: purlOf(name, top.digest) },
    },
    components: [
      {
        type: 'machine-learning-model',
        'bom-ref': 'model',
        name: model,
        version,
        properties: [{ name: `dev.fairway:${TREE}`, value: digest }],
        components: files.map(({ path, size, sha256 }) => ({
          type: 'file',
          'bom-ref': `file:${path}`,
          name: path,
          hashes: [{ alg: 'SHA-256', content: sha256 }],
          properties: [{ name: 'dev.fairway:bytes', value: String(size) }],
        })),
      },
      ...(base === undefined
        ? []
        : [
            {
              type: 'container',
              'bom-ref': 'base',
              name: base.name,
              version: base.digest,
              purl: purlOf(base.name, base.digest),
            },
          ]),
    ],
    dependencies: [{ ref: 'image', dependsOn: ['model', ...(base === undefined ? [] : ['base'])] }],
  };
}

const ociUrl = (name: string, digest: string): string => `oci://${name}@${digest}`;

/** Package URL of an image (purl-spec, type oci): the last part of its name, and the whole name as where it is. */
function purlOf(name: string, digest: string): string {
  const last = name.slice(name.lastIndexOf('/') + 1);
  return `pkg:oci/${encodeURIComponent(last)}@${encodeURIComponent(digest)}?repository_url=${encodeURIComponent(name)}`;
}
