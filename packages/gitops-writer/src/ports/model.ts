import type { Baseline, ModelVersion } from '@fairway/core';

/** Where the versions of a model come from: `source` of its model.yaml. */
export type SourceReference =
  | { readonly registry: 'directory' }
  | {
      readonly registry: 'sas';
      /** Exact name of the project; `projectId` is surer, names are not unique. */
      readonly project?: string | undefined;
      readonly projectId?: string | undefined;
      /** Name of the one content of a model that is the archive, e.g. `model.zip`. */
      readonly archive: string;
    }
  | {
      readonly registry: 'mlflow';
      /** Name of the registered model. */
      readonly name: string;
      readonly alias: string;
    };

/** A model as Fairway calls it, and where its registry has it. */
export type ModelReference = { readonly model: string; readonly source: SourceReference };

/** `answerTo`: where the registry wants to be told when the approval does not say it. */
export type LoadedVersion = {
  readonly modelVersion: ModelVersion;
  readonly baseline: Baseline;
  /** golden.jsonl beside the model, byte for byte; it fits the signature (`goldenProblems`). */
  readonly golden?: string;
  readonly answerTo?: string;
};

/** Where the files of a SavedModel lie: in the registry itself, or fetched from there into a private folder. */
export type ModelFiles = { readonly folder: string; dispose(): Promise<void> };

/** `label`: as people in the registry call it, e.g. `HMEQ TF 2.1`; `at`: when it was registered, RFC 3339. */
export type RegisteredVersion = { readonly version: string; readonly label?: string; readonly at?: string };

/** The version that the registry says should serve (champion, alias), and what identifies this decision. */
export type Champion = {
  readonly version: string;
  readonly label?: string;
  /** Another one when the champion, its version or its content is another one. At most 100 characters. */
  readonly fingerprint: string;
  /** Who set it and when, as far as the registry tells. */
  readonly actor?: string;
  readonly at?: string;
  readonly answerTo?: string;
  /**
   * As the registry itself names it, by the field names of its hooks (docs/contracts.md): SAS `projectId`, `modelId`,
   * `modelVersionName`; MLflow `name`, `version`, `alias`; directory `model`, `version`. What a hook claims is held against it.
   */
  readonly names?: Readonly<Record<string, string>>;
};

/** A model registry. `model.unknown` names what there is; `registry.unavailable` is worth another try. */
export type ModelSource = {
  /**
   * What the registry says now, the digest computed over the bytes. Throws `model.unknown`, or `model.invalid` with every reason
   * in `detail.problems` when it is no SavedModel or its signature does not fit what is registered about it.
   */
  load(of: ModelReference, version: string): Promise<LoadedVersion>;
  /** The SavedModel as it is now. Others may write to it while it is read: who reads holds what was read against the digest. */
  files(of: ModelReference, version: string): Promise<ModelFiles>;
  /** Oldest first. */
  versions(of: ModelReference): Promise<RegisteredVersion[]>;
  /** Undefined: there is none, a normal state. */
  champion(of: ModelReference): Promise<Champion | undefined>;
  /** What is missing before this model can travel, a sentence each that says how to mend it; empty: nothing. */
  examine(of: ModelReference): Promise<string[]>;
  /** Calls when something may have changed for a model (a hint); only where the registry can tell without being asked. */
  watch?(changed: (model: string) => void): { stop(): void };
};

type ImageRequest = {
  readonly modelVersion: ModelVersion;
  readonly folder: string;
  readonly approval?: string;
  /** `name@sha256:…` to put it on instead of the writer's own base. */
  readonly base?: string;
};
export type ImageBuilder = {
  /**
   * Base plus model as one layer; answers `name@sha256:…`. The same model gives the same digest. Throws `model.changed` when what was
   * read from `folder` is not the version's digest; `detail.digest` says what it is.
   */
  build(request: ImageRequest): Promise<string>;
};
