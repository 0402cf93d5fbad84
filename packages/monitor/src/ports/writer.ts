import type { Baseline, Change, Environment, ModelVersion, RetrainRequest } from '@fairway/core';
import type { Notification } from './notify.ts';

/** What the writer committed for one model version. */
export type Reference = { readonly modelVersion: ModelVersion; readonly baseline: Baseline };

/** `policy.yaml` as it stands on the default branch. */
export type PolicyFile = { readonly blob: string; readonly text: string };

type LiveVersion = { readonly version: string; readonly digest: string; readonly since: string };
type ModelEnvironment = Environment & { readonly live?: LiveVersion };
export type ModelSummary = {
  readonly model: string;
  readonly owner: string;
  readonly environments: readonly ModelEnvironment[];
};

/** The writer's HTTP API. Every method throws a retryable FairwayError when the writer does not answer. */
export type Writer = {
  /** undefined: never deployed. */
  reference(model: string, version: string): Promise<Reference | undefined>;
  /** undefined: the model has no policy. */
  policy(model: string): Promise<PolicyFile | undefined>;
  models(): Promise<readonly ModelSummary[]>;
  /** `phase`: several, parted by commas. */
  changes(filter: { model?: string; kind?: string; environment?: string; phase?: string }): Promise<readonly Change[]>;
  /** The same dedupe key again answers with the same change. */
  requestRetrain(request: RetrainRequest): Promise<Change>;
  /** Takes back a retraining that is not merged yet; one that has ended stays as it is. */
  withdrawRetrain(id: string, actor: string, reason: string): Promise<Change>;
  notifications(): Promise<readonly Notification[]>;
};

/** References that were asked for once; a committed reference never changes. */
export type ReferenceStore = {
  reference(model: string, version: string): Promise<Reference | undefined>;
  keepReference(reference: Reference): Promise<void>;
};
