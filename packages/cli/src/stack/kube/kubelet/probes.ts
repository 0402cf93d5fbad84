import { request } from 'node:http';
import { connect } from 'node:net';
import { type Clock, pause } from '@fairway/core';
import { type Container, type Probe, resolvePort } from '../workloads.ts';

/** Why a probe failed, or undefined when it passed. */
export type ProbeFailure = string | undefined;

/** While a probe has never passed it is asked this often: the demo should not wait out a period. Failures still count per period. */
const EAGER_MS = 150;

/** Asks once. Answers from 200 to 399 and accepted TCP connections pass (Kubernetes' rule). */
export async function ask(probe: Probe, container: Container, podIP: string): Promise<ProbeFailure> {
  const timeoutMs = 1000 * (probe.timeoutSeconds ?? 1);
  const target = probe.httpGet ?? probe.tcpSocket;
  if (!target) return 'the embedded cluster knows httpGet and tcpSocket probes only';
  const port = resolvePort(target.port, [container]);
  if (port === undefined) return `couldn't find port: ${target.port}`;
  return probe.httpGet
    ? getOnce(probe.httpGet, target.host ?? podIP, port, timeoutMs)
    : connectOnce(target.host ?? podIP, port, timeoutMs);
}

/** One GET; also used for preStop hooks. */
export function getOnce(
  get: NonNullable<Probe['httpGet']>,
  host: string,
  port: number,
  timeoutMs: number,
): Promise<ProbeFailure> {
  return new Promise((resolve) => {
    const headers = Object.fromEntries((get.httpHeaders ?? []).map(({ name, value }) => [name, value]));
    const call = request(
      { host, port, path: get.path ?? '/', headers, agent: false, signal: AbortSignal.timeout(timeoutMs) },
      (answer) => {
        answer.resume();
        const code = answer.statusCode ?? 0;
        resolve(code >= 200 && code < 400 ? undefined : `HTTP probe failed with statuscode: ${code}`);
      },
    );
    call.once('error', (error) => resolve(`Get "http://${host}:${port}${get.path ?? '/'}": ${error.message}`));
    call.end();
  });
}

function connectOnce(host: string, port: number, timeoutMs: number): Promise<ProbeFailure> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const done = (failure: ProbeFailure) => {
      socket.destroy();
      resolve(failure);
    };
    socket.once('connect', () => done(undefined));
    socket.once('timeout', () => done(`dial tcp ${host}:${port}: i/o timeout`));
    socket.once('error', (error) => done(`dial tcp ${host}:${port}: ${error.message}`));
  });
}

/**
 * Asks again and again until `signal` aborts and reports each turn: `pass` after `successThreshold` passes in a row,
 * `fail` after `failureThreshold` failures in a row (one per period at most).
 */
export async function watchProbe(
  probe: Probe,
  once: () => Promise<ProbeFailure>,
  on: { pass(): void; fail(reason: string): void },
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const periodMs = 1000 * (probe.periodSeconds ?? 10);
  let [passes, failures, everPassed, countedAt] = [0, 0, false, Number.NEGATIVE_INFINITY];
  await pause(1000 * (probe.initialDelaySeconds ?? 0), signal);
  while (!signal.aborted) {
    const failure = await once();
    if (signal.aborted) return;
    if (failure === undefined) {
      [passes, failures, everPassed] = [passes + 1, 0, true];
      if (passes === (probe.successThreshold ?? 1)) on.pass();
    } else if (everPassed || clock.now() - countedAt >= periodMs) {
      [passes, failures, countedAt] = [0, failures + 1, clock.now()];
      if (failures >= (probe.failureThreshold ?? 3)) on.fail(failure);
    }
    await pause(everPassed ? periodMs : Math.min(periodMs, EAGER_MS), signal);
  }
}
