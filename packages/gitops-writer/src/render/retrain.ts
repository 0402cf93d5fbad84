import { canonicalJson, type RetrainRequest } from '@fairway/core';
import { kustomization, type Rendered } from './deploy.ts';
import { resourcesOf } from './fields.ts';
import { commitMessage, type HashedFile, intentHash } from './intent.ts';
import { chartFile, retrainFolder, retrainJob, retrainNamespace } from './paths.ts';
import { retrainReport } from './report.ts';
import { type RetrainSource, seedOf } from './retrain-source.ts';
import { ANNOTATION, containerSecurity, podSecurity } from './workload.ts';
import { toYaml } from './yaml.ts';

/** The folder of a retrain change: Job, snapshot, verdict and report. */
export function renderRetrain(source: RetrainSource): Rendered {
  const { change, request } = source;
  const { model, snapshot, verdict } = request;
  const folder = retrainFolder(model, change);
  const objects = trainingObjects(source);
  const files = [
    ...(request.charts ?? []).map(({ name, svg }) => ({ path: `${folder}/${chartFile(name)}`, text: svg })),
    ...Object.entries(objects).map(([name, object]) => ({ path: `${folder}/${name}`, text: toYaml(object) })),
    { path: `${folder}/kustomization.yaml`, text: kustomization(Object.keys(objects)) },
    { path: `${folder}/report.md`, text: retrainReport(source) },
    { path: `${folder}/request.json`, text: `${canonicalJson(requestOf(source), 2)}\n` },
    { path: `${folder}/snapshot.json`, text: `${canonicalJson(snapshot, 2)}\n` },
    { path: `${folder}/verdict.json`, text: `${canonicalJson(verdict, 2)}\n` },
  ];
  const { environment, version } = request;
  const intent = retrainIntent(change, request, files);
  const message = commitMessage(
    `Retrain ${model} after ${verdict.window.period}`,
    `Version ${version} in ${environment} is in ${verdict.state}; trained on snapshot ${snapshot.id}.`,
    {
      'Fairway-Change': change,
      'Fairway-Model': model,
      'Fairway-Version': version,
      'Fairway-Environment': environment,
      'Fairway-Request': requestTrailer(request),
      'Fairway-Snapshot': `sha256:${snapshot.sha256}`,
      'Fairway-Intent': intent,
    },
  );
  return { folders: [folder], files, intent, message };
}

/** What the other files of the folder do not say of the request. */
function requestOf({ request, opened }: RetrainSource): object {
  const { kind, model, version, environment, dedupeKey, actor, windows, moved } = request;
  const charts = request.charts?.map(({ name, title }) => ({ name, title }));
  return { kind, model, version, environment, dedupeKey, actor, windows, moved, charts, opened };
}

/** The intent of a retrain folder. */
export function retrainIntent(change: string, request: RetrainRequest, files: readonly HashedFile[]): string {
  const { model, version, environment, actor, dedupeKey, snapshot } = request;
  return intentHash({ change, model, version, environment, actor, dedupeKey, snapshot: snapshot.sha256 }, files);
}

export const requestTrailer = ({ dedupeKey, actor }: Pick<RetrainRequest, 'dedupeKey' | 'actor'>): string =>
  `${dedupeKey} by ${actor}`;

/** What the cluster is to have, by the name of its file. */
export const trainingObjects = (source: RetrainSource): Record<string, object> => ({
  'job.yaml': trainingJob(source),
  'service-account.yaml': serviceAccount(source),
});

const metadataOf = ({ change, request }: RetrainSource) => ({
  annotations: { [`${ANNOTATION}/change`]: change, [`${ANNOTATION}/snapshot`]: `sha256:${request.snapshot.sha256}` },
  labels: { 'app.kubernetes.io/managed-by': 'fairway', [`${ANNOTATION}/model`]: request.model },
});

/** The trainer's own, without a token: what somebody grants the namespace's default one later is not the trainer's. */
function serviceAccount(source: RetrainSource): object {
  const { change, request, file } = source;
  const { pullSecret } = file.retrain;
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    // Applications of two retrainings share the namespace, and an object belongs to one of them.
    metadata: { name: retrainJob(change), namespace: retrainNamespace(request.model), ...metadataOf(source) },
    automountServiceAccountToken: false,
    ...(pullSecret === undefined ? {} : { imagePullSecrets: [{ name: pullSecret }] }),
  };
}

function trainingJob(source: RetrainSource): object {
  const { change, request, file } = source;
  const metadata = metadataOf(source);
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: retrainJob(change), namespace: retrainNamespace(request.model), ...metadata },
    spec: {
      activeDeadlineSeconds: file.retrain.deadlineSeconds,
      backoffLimit: 1,
      // Exit code 10 is the gate's answer, not an accident: no second try. A drained node is none of the trainer's failures.
      podFailurePolicy: {
        rules: [
          { action: 'FailJob', onExitCodes: { containerName: 'trainer', operator: 'In', values: [10] } },
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
        ],
      },
      // No hook: an Application of hooks alone is always Synced, so none would ever run. No ttlSecondsAfterFinished: Argo CD would
      // see the Job missing and train again.
      template: {
        metadata,
        spec: {
          serviceAccountName: retrainJob(change),
          automountServiceAccountToken: false,
          restartPolicy: 'Never',
          securityContext: podSecurity,
          containers: [trainer(change, request, file.retrain)],
          volumes: [
            { name: 'snapshots', persistentVolumeClaim: { claimName: 'fairway-snapshots', readOnly: true } },
            { name: 'registry', persistentVolumeClaim: { claimName: 'fairway-registry' } },
          ],
        },
      },
    },
  };
}

function trainer(change: string, request: RetrainRequest, retrain: RetrainSource['file']['retrain']): object {
  const env: Record<string, string> = {
    FAIRWAY_CHAMPION_VERSION: request.version,
    FAIRWAY_CHANGE: change,
    FAIRWAY_GATE_MARGIN: String(retrain.gateMargin),
    ...(retrain.gateZ === undefined ? {} : { FAIRWAY_GATE_Z: String(retrain.gateZ) }),
    FAIRWAY_MODEL: request.model,
    FAIRWAY_REGISTRY: '/registry',
    FAIRWAY_SEED: String(seedOf(change)),
    FAIRWAY_SNAPSHOT: `/snapshots/${request.snapshot.file}`,
    FAIRWAY_SNAPSHOT_SHA256: request.snapshot.sha256,
  };
  return {
    name: 'trainer',
    image: retrain.image,
    env: Object.entries(env).map(([name, value]) => ({ name, value })),
    resources: resourcesOf(retrain.resources),
    securityContext: containerSecurity,
    volumeMounts: [
      { name: 'snapshots', mountPath: '/snapshots', readOnly: true },
      { name: 'registry', mountPath: '/registry' },
    ],
  };
}
