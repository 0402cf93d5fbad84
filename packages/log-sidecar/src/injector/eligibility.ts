import { INJECT, shown } from './names.ts';
import { annotationsOf, labelsOf, type Pod } from './pod.ts';

/** Whether a pod is to have the agent: it asked for it and may, it did not ask, or it asked and may not. */
export function eligibility(pod: Pod, namespace: string): 'yes' | 'no' | { problem: string } {
  const label = labelsOf(pod)[INJECT];
  const annotation = annotationsOf(pod)[INJECT];
  // The kubelet's mirror of a static pod: it must stay what the node's file says.
  if (label === undefined || annotationsOf(pod)['kubernetes.io/config.mirror'] !== undefined) return 'no';
  for (const [what, value] of [
    ['label', label],
    ['annotation', annotation],
  ]) {
    if (value !== undefined && value !== 'true' && value !== 'false') {
      return { problem: `${what} ${INJECT} ${shown(value)} must be "true" or "false"` };
    }
  }
  if (label === 'false' || annotation === 'false') return 'no';
  const problem = barred(pod, namespace);
  return problem === undefined ? 'yes' : { problem };
}

/** Pods of the cluster itself. */
const SYSTEM = /^(kube-.*|openshift|openshift-.*)$/;

function barred({ spec }: Pod, namespace: string): string | undefined {
  if (SYSTEM.test(namespace)) return `namespace ${shown(namespace)} belongs to the cluster`;
  if (spec.hostNetwork === true) return "a pod with hostNetwork shares its ports with the node's other pods";
  const os = spec.os?.name ?? spec.nodeSelector?.['kubernetes.io/os'];
  return os === 'windows' ? 'the agent runs on Linux nodes only' : undefined;
}
