import { AGENT_MEMORY_MIB } from '@fairway/core';
import { type AgentFacts, agentContainer, agentVolumes, type Template, templateHash } from './agent-container.ts';
import { apply, withAnnotation } from './apply.ts';
import { eligibility } from './eligibility.ts';
import { OURS, STATUS } from './names.ts';
import { type Options, readOptions } from './options.ts';
import { carriesAgent, isAgent, makePlan, type Placement, type Plan } from './plan.ts';
import { allContainers, annotationsOf, type Container, type Dict, labelsOf, type Pod } from './pod.ts';
import { findServing } from './serving.ts';
import { readStatus, type Status, writeStatus } from './status.ts';

export type Surroundings = Placement & {
  readonly template: Template;
  /** Of the request; a pod made by a controller need not say it. */
  readonly namespace: string;
};

/**
 * What became of a pod. `ignored`: it did not ask, or asked not to; `present`: the agent is there; `refused`: it asked and
 * cannot have it, `warnings` say why. Warnings are parts of sentences, at most 200 characters.
 */
export type Injection = {
  readonly outcome: 'ignored' | 'present' | 'refused' | 'injected';
  readonly pod: Pod;
  readonly warnings: readonly string[];
};

/** Gives a pod its agent. The same pod always becomes the same; a pod that has been through it stays as it is. */
export function inject(pod: Pod, surroundings: Surroundings): Injection {
  const entrance = eligibility(pod, surroundings.namespace);
  if (entrance === 'no') return { outcome: 'ignored', pod, warnings: [] };
  if (entrance !== 'yes') return refused(pod, [entrance.problem]);
  const read = readOptions(withLabels(pod));
  if ('problems' in read) return refused(pod, read.problems);
  const past = readStatus(pod);
  if ('problem' in past) return refused(pod, [past.problem]);
  const { status } = past;
  if (status === undefined && carriesAgent(pod)) return { outcome: 'present', pod, warnings: [] };
  const planned = status === undefined ? newPlan(pod, read.options, surroundings) : oldPlan(pod, status);
  if ('problem' in planned) return refused(pod, [planned.problem]);
  const facts = agentFacts(pod, planned.plan, read.options, surroundings.template);
  if ('problems' in facts) return refused(pod, facts.problems);
  const { plan, warnings } = planned;
  const agent = (now: Pod) => agentContainer(surroundings.template, plan, facts, now);
  const after = apply(pod, plan, agent, agentVolumes(plan, facts.queueSecret));
  if (after === pod) return { outcome: 'present', pod, warnings: [] };
  const template = status !== undefined && hasAgent(pod, plan) ? status.template : templateHash(surroundings.template);
  return { outcome: 'injected', pod: withAnnotation(after, STATUS, writeStatus({ ...plan, template })), warnings };
}

const refused = (pod: Pod, warnings: readonly string[]): Injection => ({ outcome: 'refused', pod, warnings });

/** The writer's pods carry model and environment as labels. */
function withLabels(pod: Pod): Dict {
  const names = ['model', 'environment'].map((name) => `${OURS}${name}`);
  const labels = Object.entries(labelsOf(pod)).filter(([name]) => names.includes(name));
  return { ...Object.fromEntries(labels), ...annotationsOf(pod) };
}

type Planned = ReturnType<typeof makePlan>;

function newPlan(pod: Pod, options: Options, placement: Placement): Planned {
  const serving = findServing(pod, options);
  return 'problem' in serving ? serving : makePlan(pod, serving.found, options, placement);
}

/** What was done before is done again, whatever the cluster and the settings are now. */
function oldPlan(pod: Pod, status: Status): Planned {
  const twin = allContainers(pod).find(({ name }) => name === status.agent);
  const known = pod.spec.containers.some(({ name }) => name === status.container);
  if (!known || (twin !== undefined && !isAgent(twin))) {
    return { problem: `${STATUS} belongs to another pod: remove it from the pod or its template` };
  }
  const { template: _, ...plan } = status;
  return { plan, warnings: [] };
}

const hasAgent = (pod: Pod, { agent }: Plan): boolean => allContainers(pod).some(({ name }) => name === agent);

function agentFacts(
  pod: Pod,
  plan: Plan,
  options: Options,
  { queueSecret }: Template,
): AgentFacts | { problems: string[] } {
  const serving = pod.spec.containers.find(({ name }) => name === plan.container);
  const { model = serving && servedName(serving), environment } = options;
  if (model === undefined || environment === undefined) {
    const missing = Object.entries({ model, environment }).filter(([, value]) => value === undefined);
    return { problems: missing.map(([name]) => `annotation ${OURS}${name} is missing`) };
  }
  return {
    model,
    environment,
    queueSecret: options['queue-secret'] ?? queueSecret,
    memoryLimit: options['memory-limit'] ?? AGENT_MEMORY_MIB,
    settings: options.agent,
  };
}

/** The name under which TF Serving answers, as the stock image or its argument is told. */
function servedName({ command, args, env }: Container): string | undefined {
  const argument = [...(command ?? []), ...(args ?? [])].join(' ').match(/--model_name=["']?([\w.-]+)/)?.[1];
  const name = argument ?? (env ?? []).find(({ name }) => name === 'MODEL_NAME')?.value ?? undefined;
  return name !== undefined && /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name) ? name : undefined;
}
