import { applyCases } from './applies.ts';
import { collectionCases } from './collections.ts';
import { doctorCases } from './doctor.ts';
import { injectorCases } from './injector.ts';
import { installCases } from './install.ts';
import { lifecycleCases } from './lifecycles.ts';
import { objectCases } from './objects.ts';
import { rightsCases } from './rights.ts';
import { webhookCases } from './webhooks.ts';
import type { World } from './world.ts';

/** What any Kubernetes API server does with the kinds and verbs that we use. The same for the embedded one and for a real one. */
export function allCases(world: () => World): void {
  objectCases(world);
  applyCases(world);
  collectionCases(world);
  lifecycleCases(world);
  rightsCases(world);
  installCases(world);
  doctorCases(world);
  webhookCases(world);
  injectorCases(world);
}
