import type { ModelReference, ModelSource } from '../../../packages/gitops-writer/src/ports.ts';

/** What is registered beside a SavedModel: file name → JSON value, as the files of the directory registry (docs/contracts.md). */
export type Registration = Readonly<
  Record<'ModelProperties.json' | 'inputVar.json' | 'outputVar.json' | 'baseline.json', unknown>
>;

/** A running registry with one empty model in it, and what people do there. */
export type StartedTarget = {
  readonly source: ModelSource;
  readonly of: ModelReference;
  /** The same registry's port, for a model that it does not have. */
  readonly unknown: ModelReference;
  /** Folder below which the source makes its private copies; it need not be there. */
  readonly scratch: string;
  /** Setting whose name an outage must tell. */
  readonly setting: string;
  /** What no error may show: passwords, tokens. */
  readonly secrets: readonly string[];
  /**
   * Registers the content of a folder (whatever it is) as the next version; answers what Fairway calls that version. A registry
   * that keeps signature and variables elsewhere takes them from `registration`.
   */
  register(folder: string, registration: Registration): Promise<string>;
  /** Makes a version the champion; undefined: there is none any more. */
  crown(version: string | undefined): Promise<void>;
  /** Changes bytes of `assets/words.txt` of a version in place, as nobody should. */
  tamper(version: string): Promise<void>;
  /** Makes the registry unreachable, and reachable again. */
  down(): Promise<void>;
  up(): Promise<void>;
  stop(): Promise<void>;
};

/** `start` gives each test a registry of its own. */
export type Target = { readonly name: string; readonly start: () => Promise<StartedTarget> };
