import { FairwayError, pause } from '@fairway/core';
import { callJson, patientJson } from '../stack/http.ts';
import { MODEL, type Stack } from '../stack/stack.ts';

type Service = { spec?: { clusterIP?: string; ports?: { port: number; name?: string }[] } };

/** URL of the model's Service in the cluster. A cluster that is just restarting is asked again by the caller. */
export async function serviceUrl(stack: Stack, environment: string): Promise<string> {
  const url = `${stack.urls.kube}/api/v1/namespaces/${MODEL}-${environment}/services/${MODEL}`;
  const { status, body } = await callJson<Service>('Kubernetes', url, { token: stack.tokens.kube });
  const { clusterIP, ports } = body?.spec ?? {};
  const port = ports?.find(({ name }) => name !== 'grpc')?.port;
  if (status === 200 && clusterIP && port !== undefined) return `http://${clusterIP}:${port}`;
  throw new FairwayError('stack.failed', `Service ${MODEL} of ${environment} is not there yet.`, {
    disposition: 'retryable',
  });
}

/** Waits until the pods of the version before are gone: while they drain, a connection may still reach one of them. */
export async function untilDrained(stack: Stack, environment: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    const { pods } = await patientJson<{ pods: { namespace: string }[] }>(
      'Kubernetes',
      `${stack.urls.kube}/fairway/pods`,
      { token: stack.tokens.kube },
    );
    if (pods.filter(({ namespace }) => namespace === `${MODEL}-${environment}`).length <= 1) return;
    await pause(100);
  }
}
