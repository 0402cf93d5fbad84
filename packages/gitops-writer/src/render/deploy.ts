import { type Approval, type Baseline, canonicalJson, GOLDEN_FILE } from '@fairway/core';
import type { RepositoryFile } from '../ports.ts';
import { type Canary, STABLE_FILE, stableText } from './canary.ts';
import { chainIntent, chainText } from './chain.ts';
import { commitMessage } from './intent.ts';
import { manifestsOf } from './manifests.ts';
import { environmentFolder } from './paths.ts';
import { goldenConfigMap, smokeJob, smokeService } from './smoke.ts';
import { versionsConfigMap } from './tail.ts';
import type { Workload } from './workload.ts';
import { toYaml } from './yaml.ts';

export type DeploySource = Workload & {
  readonly approval: Approval;
  readonly baseline: Baseline;
  /** golden.jsonl as registered, where there is one. */
  readonly golden?: string;
  /** Where the version gets a part of the requests first. */
  readonly canary?: Canary;
};

/** Everything a change puts on its branch. */
export type Rendered = {
  /** Folders that the files replace as a whole. */
  readonly folders: readonly string[];
  readonly files: readonly RepositoryFile[];
  readonly intent: string;
  readonly message: string;
};

/** `kustomization.yaml` that applies the given files. */
export const kustomization = (resources: readonly string[], more: object = {}): string =>
  toYaml({ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', resources, ...more });

/** The environment folder of a deploy change: manifests, the chain, the model version, its baseline and golden cases. */
export function renderDeploy(source: DeploySource): Rendered {
  const { approval, baseline, canary, change, environment, image, modelVersion } = source;
  const folder = environmentFolder(modelVersion.model, environment.name);
  const smoke = smokeFiles(source, folder);
  const manifests = manifestsOf(source, canary);
  const resources = [...Object.keys(manifests).sort(), ...smoke.resources];
  const generated = source.file.capture.tail === undefined ? [] : [versionsConfigMap(source)];
  const configMaps = [...smoke.configMaps, ...generated];
  const more = configMaps.length === 0 ? {} : { configMapGenerator: configMaps };
  const files: RepositoryFile[] = [
    { path: `${folder}/baseline.json`, text: `${canonicalJson(baseline)}\n` },
    ...Object.entries(manifests).map(([name, object]) => ({ path: `${folder}/${name}`, text: toYaml(object) })),
    { path: `${folder}/kustomization.yaml`, text: kustomization(resources, more) },
    { path: `${folder}/modelversion.json`, text: `${canonicalJson(modelVersion, 2)}\n` },
    ...(canary === undefined ? [] : [{ path: `${folder}/${STABLE_FILE}`, text: stableText(canary.stable) }]),
    ...smoke.files,
  ];
  const { model, version, digest } = modelVersion;
  const chain = { change, model, version, digest, image, environment: environment.name, approval };
  // The chain's own file holds the hash, so the hash covers the chain itself and every other file.
  const intent = chainIntent(chain, files);
  files.push({ path: `${folder}/version.yaml`, text: chainText({ ...chain, intent }) });
  return { folders: [folder], files, intent, message: deployMessage(source, intent) };
}

type SmokeFiles = {
  readonly files: readonly RepositoryFile[];
  readonly resources: readonly string[];
  /** What kustomize makes of the cases. */
  readonly configMaps: readonly object[];
};

/** The golden cases, what asks them and the way there; nothing without cases. */
function smokeFiles(source: DeploySource, folder: string): SmokeFiles {
  const { golden } = source;
  if (golden === undefined) return { files: [], resources: [], configMaps: [] };
  const smoke = { workload: source, golden };
  const manifests = { 'smoke-service.yaml': smokeService(smoke), 'smoke.yaml': smokeJob(smoke) };
  const rendered = Object.entries(manifests).map(([name, object]) => ({
    path: `${folder}/${name}`,
    text: toYaml(object),
  }));
  return {
    files: [{ path: `${folder}/${GOLDEN_FILE}`, text: golden }, ...rendered],
    resources: Object.keys(manifests),
    configMaps: [goldenConfigMap(smoke)],
  };
}

function deployMessage({ approval, change, environment, modelVersion }: DeploySource, intent: string): string {
  const { model, version, digest } = modelVersion;
  const subject = `Deploy ${model} ${version} to ${environment.name}`;
  return commitMessage(subject, `Approved by ${oneLine(approval.actor)} on ${approval.time}.`, {
    'Fairway-Change': change,
    'Fairway-Model': model,
    'Fairway-Version': version,
    'Fairway-Digest': digest,
    'Fairway-Environment': environment.name,
    'Fairway-Approval': approvalTrailer(approval),
    'Fairway-Intent': intent,
  });
}

export const approvalTrailer = ({ eventId, actor, time }: Approval): string => `${eventId} by ${actor} at ${time}`;

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();
