import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** An OCI layout with one base image of one empty layer; answers its reference by digest. */
export function writeBase(folder: string): string {
  const blobs = join(folder, 'blobs', 'sha256');
  mkdirSync(blobs, { recursive: true });
  const add = (bytes: Buffer) => {
    const hex = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(join(blobs, hex), bytes);
    return { digest: `sha256:${hex}`, size: bytes.length };
  };
  const tar = Buffer.alloc(1024);
  const layer = add(gzipSync(tar));
  const config = add(
    Buffer.from(
      JSON.stringify({
        architecture: 'amd64',
        os: 'linux',
        config: {
          Env: ['MODEL_NAME=model', 'MODEL_BASE_PATH=/models'],
          Entrypoint: ['/usr/bin/tf_serving_entrypoint.sh'],
        },
        rootfs: { type: 'layers', diff_ids: [`sha256:${createHash('sha256').update(tar).digest('hex')}`] },
      }),
    ),
  );
  const kind = 'application/vnd.oci.image';
  const manifest = add(
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: `${kind}.manifest.v1+json`,
        config: { mediaType: `${kind}.config.v1+json`, ...config },
        layers: [{ mediaType: `${kind}.layer.v1.tar+gzip`, ...layer }],
      }),
    ),
  );
  writeFileSync(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  const entry = { mediaType: `${kind}.manifest.v1+json`, ...manifest };
  writeFileSync(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
  return `tensorflow/serving@${manifest.digest}`;
}
