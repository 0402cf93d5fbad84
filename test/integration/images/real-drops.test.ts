import { randomBytes } from 'node:crypto';
import { type ImageStore, registryStore } from '@fairway/oci';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Fate, type HostileProxy, PASS, startHostileProxy } from '../../harness/hostile-proxy.ts';
import { bytesOf } from '../../harness/registry/images.ts';
import { program, type RealRegistry, startRealRegistry } from '../../harness/registry/real.ts';

const binary = program('docker-registry');
const missing = binary === undefined ? ' (docker-registry is not installed)' : '';

describe.skipIf(binary === undefined)(`docker-registry behind a network on a bad day${missing}`, () => {
  let registry: RealRegistry;
  let proxy: HostileProxy;
  let store: ImageStore;
  beforeAll(async () => {
    registry = await startRealRegistry(binary ?? '', { relativeurls: true });
    proxy = await startHostileProxy(`http://${registry.host}`);
    store = registryStore({ plainHttp: true, chunkBytes: 64 * 1024, pauseMs: 1 });
  });
  beforeEach(() => {
    proxy.fate = () => PASS;
  });
  afterAll(async () => {
    store?.close();
    await proxy?.stop();
    await registry?.stop();
  });

  /** The nth piece of an upload meets `fate`. */
  const onPiece = (n: number, fate: Fate) => {
    let pieces = 0;
    proxy.fate = ({ method }) => (method === 'PATCH' && (pieces += 1) === n ? fate : PASS);
  };

  it.each([
    ['before the registry sees a piece', { kind: 'cut' }],
    ['after it has taken one', { kind: 'cut-answer' }],
    ['by a gateway that is away', { kind: 'status', status: 502 }],
  ] as const)('has the whole layer although the connection ends %s', async (_when, fate) => {
    const bytes = randomBytes(640_000);
    async function* open() {
      yield await Promise.resolve(bytes);
    }
    onPiece(9, fate);
    const name = `${new URL(proxy.url).host}/models/home-equity`;
    const { digest, size } = await store.add(name, { open });
    expect(size).toBe(bytes.length);
    expect((await bytesOf(store, name, digest)).equals(bytes)).toBe(true);
    expect(proxy.seen.filter(({ method }) => method === 'PATCH').length).toBeGreaterThan(9);
  });
});
