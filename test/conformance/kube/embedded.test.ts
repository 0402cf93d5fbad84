import { afterAll, beforeAll } from 'vitest';
import { startTestCluster, type TestCluster } from '../../integration/kube/cluster.ts';
import { allCases } from './suite.ts';
import { call, freshName, type World } from './world.ts';

let cluster: TestCluster;
const namespace = freshName('conformance');
beforeAll(async () => {
  cluster = await startTestCluster();
  await call(cluster, 'POST', '/api/v1/namespaces', { body: { metadata: { name: namespace } } });
});
afterAll(() => cluster.stop());

/** The embedded server forgets what happened before it was started; objects stay. */
async function tooOld(path: string): Promise<string> {
  const before = await call(cluster, 'GET', path);
  await call(cluster, 'POST', `/api/v1/namespaces/${namespace}/configmaps`, {
    body: { metadata: { name: freshName('later') } },
  });
  await cluster.restart('kill');
  return before.body.metadata.resourceVersion;
}

allCases((): World => ({ config: cluster.config, namespace, tooOld }));
