import type { Plan } from './plan.ts';
import { type Container, type Handler, type PortRef, portsOf } from './pod.ts';

const PROBES = ['startupProbe', 'livenessProbe'] as const;
const HOOKS = ['postStart', 'preStop'] as const;

/**
 * Readiness by HTTP goes through the agent: the answer is the model's own, and what callers use has been tried with it. All
 * else goes past the agent, straight to the model: start, liveness and hooks because a failing agent must not have the model
 * restarted, and TCP because the agent's open port would say nothing about the model's.
 */
export function withProbes(container: Container, plan: Plan): Container {
  const direct = (handler: Handler) => onPort(handler, portOf(container, handler), plan.upstream, plan);
  const { readinessProbe: ready, lifecycle } = container;
  const changes: { -readonly [K in keyof Container]?: Container[K] } = {};
  for (const name of PROBES) {
    const probe = container[name];
    if (probe) changes[name] = direct(probe);
  }
  if (ready) changes.readinessProbe = ready.httpGet ? readyThroughAgent(container, ready, plan) : direct(ready);
  if (lifecycle) {
    const hooks: { -readonly [K in (typeof HOOKS)[number]]?: Handler } = {};
    for (const name of HOOKS) {
      const hook = lifecycle[name];
      if (hook) hooks[name] = direct(hook);
    }
    changes.lifecycle = same(lifecycle, hooks) ? lifecycle : { ...lifecycle, ...hooks };
  }
  return same(container, changes) ? container : { ...container, ...changes };
}

/** A name leads to the agent as it is: its entry has the agent's number. */
function readyThroughAgent(container: Container, probe: Handler, plan: Plan): Handler {
  const port = probe.httpGet?.port;
  return typeof port === 'string' ? probe : onPort(probe, portOf(container, probe), plan.listen, plan);
}

function onPort(handler: Handler, port: number | undefined, target: number, { listen, upstream }: Plan): Handler {
  if (port === undefined || (port !== listen && port !== upstream)) return handler;
  if (handler.httpGet) return moved(handler, 'httpGet', target);
  return handler.tcpSocket ? moved(handler, 'tcpSocket', target) : handler;
}

function moved(handler: Handler, kind: 'httpGet' | 'tcpSocket', port: number): Handler {
  const action = handler[kind];
  return !action || action.port === port ? handler : { ...handler, [kind]: { ...action, port } };
}

/** The number that a probe ends at; names are looked up in their own container, as the kubelet does. */
function portOf(container: Container, { httpGet, tcpSocket }: Handler): number | undefined {
  const port: PortRef | undefined = httpGet?.port ?? tcpSocket?.port;
  if (typeof port !== 'string') return port;
  return /^\d+$/.test(port) ? Number(port) : portsOf(container).find(({ name }) => name === port)?.containerPort;
}

const same = (before: object, changes: object): boolean =>
  Object.entries(changes).every(([key, value]) => before[key as keyof typeof before] === value);
