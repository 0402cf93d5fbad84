import { KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyAll } from '../../manifests/cluster.ts';
import { rendering } from '../../manifests/render.ts';
import { allCases } from './suite.ts';
import { call, freshName, realServer, type World } from './world.ts';

const real = realServer(process.env);
const namespace = freshName('conformance');
const config = new KubeConfig();
// Version 1 lies before every collection that was defined later: its watch cache has never heard of it.
const world = (): World => ({ config, namespace, tooOld: async () => '1' });

if ('why' in real) it('a real API server', (context) => context.skip(real.why));
else
  describe('a real API server', () => {
    beforeAll(async () => {
      config.loadFromFile(real.file);
      await call({ config }, 'POST', '/api/v1/namespaces', { body: { metadata: { name: namespace } } });
    });
    afterAll(() => call({ config }, 'DELETE', `/api/v1/namespaces/${namespace}`));
    allCases(world);
    // The embedded API knows no schemas of whole kinds; `npm run manifests:check` refuses such a field before.
    it('with a field that nobody knows is refused, in words that name it', async () => {
      const [writer] = rendering('manifests/install/overlays/openshift').objects.filter(
        ({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'fairway-writer',
      );
      const odd = { ...writer, spec: { ...(writer?.['spec'] as object), revisionHistoryLimits: 5 } };
      const { problems } = await applyAll(world(), [odd as never]);
      expect(problems.join()).toMatch(/revisionHistoryLimits/);
    });
  });
