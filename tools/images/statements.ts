import { sha256 } from '@fairway/core';
import { type Base, PARTS_TYPE, PROVENANCE_TYPE } from '@fairway/oci';
import type { Bundled, Part } from './bundle.ts';
import type { ImageSpec } from './catalog.ts';
import type { Source } from './source.ts';

export type Facts = {
  readonly image: ImageSpec;
  readonly name: string;
  readonly digest: string;
  readonly base: Base;
  readonly bundled: Bundled;
  readonly source: Source;
  /** sha256 of package-lock.json. */
  readonly lock: string;
};

/** Parts list and provenance of an image; both can be made again from the same sources and base. */
export const statementsOf = (facts: Facts) => [
  { type: PARTS_TYPE, ending: 'cdx.json', body: partsList(facts) },
  { type: PROVENANCE_TYPE, ending: 'provenance.json', body: provenance(facts) },
];

const hex = (digest: string): string => digest.slice(digest.indexOf(':') + 1);

/** CycloneDX 1.6: the packages whose code is in the layer, its files, and the base, whose own list its maker has. */
function partsList({ image, name, digest, base, bundled }: Facts): object {
  const libraries = bundled.parts.map(library);
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: { type: 'container', 'bom-ref': 'image', name, version: digest, description: image.description },
    },
    components: [
      ...libraries,
      ...bundled.files.map(({ path, bytes }) => ({
        type: 'file',
        'bom-ref': `file:/${path}`,
        name: `/${path}`,
        hashes: [{ alg: 'SHA-256', content: sha256(bytes) }],
      })),
      { type: 'container', 'bom-ref': 'base', name: 'base', version: base.digest },
    ],
    dependencies: [{ ref: 'image', dependsOn: ['base', ...libraries.map((one) => one['bom-ref'])] }],
  };
}

function library({ name, version, license, integrity, ours }: Part) {
  // Package URLs, type npm: the @ of a scope is written %40. Ours are published nowhere.
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  const [algorithm, value] = integrity?.split('-') ?? [];
  const content =
    algorithm === 'sha512' && value !== undefined ? Buffer.from(value, 'base64').toString('hex') : undefined;
  return {
    type: 'library',
    'bom-ref': ours ? `${name}@${version}` : purl,
    name,
    version,
    ...(ours ? {} : { purl }),
    ...(license === undefined ? {} : { licenses: licence(license) }),
    ...(content === undefined ? {} : { hashes: [{ alg: 'SHA-512', content }] }),
  };
}

const licence = (text: string) =>
  / (OR|AND|WITH) /.test(text)
    ? [{ expression: text }]
    : [{ license: /^[\w.+-]+$/.test(text) ? { id: text } : { name: text } }];

/** Described in docs/images.md, "What is said about an image". */
const BUILD_TYPE = 'https://fairway.dev/images/v1';
const BUILDER = 'https://fairway.dev/builder';

/** An in-toto Statement v1 with SLSA provenance v1. Unsigned: who built it, a signature of the release says. */
function provenance({ image, name, digest, base, source, lock }: Facts): object {
  const uri = source.url === undefined ? {} : { uri: `git+${source.url}` };
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name, digest: { sha256: hex(digest) } }],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: { image: image.name, revision: source.revision, created: source.created },
        resolvedDependencies: [
          // A commit does not say what a changed checkout was.
          ...(source.dirty ? [] : [{ name: 'sources', ...uri, digest: { gitCommit: source.revision } }]),
          { name: 'package-lock.json', digest: { sha256: lock } },
          { name: 'base', digest: { sha256: hex(base.digest) } },
        ],
      },
      runDetails: { builder: { id: BUILDER } },
    },
  };
}
