import { systemClock } from '@fairway/core';
import { kubeCaller, type KubeCaller } from '@fairway/gitops-writer';
import { SHIPPED } from '../../stack/layout.ts';
import { sentence } from '../sentence.ts';
import { argoFindings, modelNamespaces } from './argocd.ts';
import { type Looker, looker } from './cluster.ts';
import { type Finding, missing, warning } from './finding.ts';
import { callerFindings, installationFindings, managedFindings, twinFindings } from './installation.ts';
import { kindFindings } from './kinds.ts';
import { modelMounts } from './mounts.ts';
import { ownFindings, permissionFindings } from './permissions.ts';
import { serverFindings } from './server.ts';
import { shippedObjects } from './shipped.ts';
import { unarmedFindings, webhookFindings } from './webhook.ts';

export type ClusterQuestion = {
  readonly context?: string | undefined;
  readonly namespace: string;
  readonly argocdNamespace?: string | undefined;
};

/** Everything of a cluster that Fairway needs. Never throws for what a cluster says: a check that fails is a finding. */
export async function checkCluster({ context, namespace, argocdNamespace }: ClusterQuestion): Promise<Finding[]> {
  const caller = await kubeCaller(context);
  const server = await serverFindings(caller, () => systemClock.now()).catch((error: unknown) => [
    missing('API', sentence(error)),
  ]);
  // Whoever is not known there is refused everything else.
  if (server.some(({ name, state }) => name === 'API' && state === 'missing')) return server;
  const cluster = looker(caller, namespace, argocdNamespace ?? (await argocdNamespaceOf(caller)));
  const [install, argocd] = [shippedObjects(SHIPPED.install), shippedObjects(SHIPPED.argocd)];
  const models = await modelNamespaces(cluster).catch(() => []);
  const checks: readonly (readonly [string, (on: Looker) => Promise<Finding[]>])[] = [
    ['kinds', (on) => kindFindings(on, [...install, ...argocd])],
    ['your rights', ownFindings],
    ['installation', (on) => installationFindings(on, install)],
    ['callers', callerFindings],
    ['rights', (on) => permissionFindings(on, install, models)],
    ['Argo CD', (on) => argoFindings(on, argocd, models)],
    ['namespaces', (on) => managedFindings(on, models)],
    ['models', modelMounts],
    ['webhook', (on) => webhookFindings(on, systemClock.now())],
    ['pods without their agent', unarmedFindings],
    ['one installation', twinFindings],
  ];
  const findings: Finding[] = [...server];
  for (const [name, check] of checks)
    findings.push(
      ...(await check(cluster).catch((error: unknown) => [warning(name, `could not be checked: ${sentence(error)}`)])),
    );
  return findings;
}

/** Where Argo CD lives: as OpenShift GitOps has it, or as its own manifests do. */
async function argocdNamespaceOf(caller: KubeCaller): Promise<string> {
  const { status } = await caller.call('/api/v1/namespaces/openshift-gitops').catch(() => ({ status: 0 }));
  if (status !== 404) return 'openshift-gitops';
  const other = await caller.call('/api/v1/namespaces/argocd').catch(() => ({ status: 0 }));
  return other.status === 200 ? 'argocd' : 'openshift-gitops';
}
