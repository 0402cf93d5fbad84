/**
 * The way of a model from its archive to the registry, in a process of its own, so that its memory is nobody else's:
 * `pipeline.ts ARCHIVE SCRATCH BASE REPOSITORY` prints `{seconds, rssMb, digest, image}`.
 */
import { readFileSync } from 'node:fs';
import { unpackModel } from '@fairway/archive';
import { buildImage, registryStore } from '@fairway/oci';
import { digestTree } from '@fairway/savedmodel';

const [archive = '', scratch = '', base = '', repository = ''] = process.argv.slice(2);
const began = performance.now();
const store = registryStore({ plainHttp: true });
const unpacked = await unpackModel(archive, scratch);
const { folder } = unpacked;
const atUnpacked = performance.now();
const digest = await digestTree(folder);
const atDigested = performance.now();
const model = { model: 'large', version: '1', digest, origin: 'bench' };
const { reference } = await buildImage(store, { model, folder, repository, kind: { of: 'serving', base } });
const seconds = (performance.now() - began) / 1_000;
await unpacked.dispose();
store.close();
const rssMb = Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1024;
const parts = {
  unpack: atUnpacked - began,
  digest: atDigested - atUnpacked,
  image: seconds * 1_000 - (atDigested - began),
};
console.log(JSON.stringify({ seconds, rssMb, digest, image: reference, parts }));
