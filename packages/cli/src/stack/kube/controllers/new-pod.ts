import type { Writer } from '../admission/writer.ts';
import { POD } from '../kinds.ts';
import { controlledBy, type KubeObject } from '../objects.ts';
import type { PodTemplate } from '../workloads.ts';
import type { EventRecorder } from './events.ts';

/** Makes a pod of a controller's template, past the admission webhooks; a refusal is told as an event of its owner, too. */
export async function createPod(
  writer: Writer,
  owner: KubeObject,
  template: PodTemplate,
  record: EventRecorder,
): Promise<void> {
  const { name, namespace } = owner.metadata;
  try {
    const made = await writer.create(POD, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        ...template.metadata,
        generateName: `${name}-`,
        ...(namespace === undefined ? {} : { namespace }),
        ownerReferences: [controlledBy(owner)],
      },
      spec: template.spec,
    });
    record(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${made.metadata.name}`);
  } catch (error) {
    record(owner, 'Warning', 'FailedCreate', `Error creating: ${(error as Error).message}`);
    throw error;
  }
}
