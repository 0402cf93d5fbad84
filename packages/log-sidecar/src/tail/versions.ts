import { readFile } from 'node:fs/promises';
import { FairwayError, type Logger, type ModelVersion, type Part } from '@fairway/core';
import { findFiles } from './find.ts';

const EVERY_MS = 10_000;

/** The model's versions as the writer committed them (`modelversion.json`), read again when their files change. */
export class ModelVersions implements Part {
  readonly name = 'model versions';
  private readonly model: string;
  private readonly patterns: readonly string[];
  private readonly log: Logger;
  private known: ReadonlyMap<string, ModelVersion> = new Map();
  private stamps = '';
  private timer: NodeJS.Timeout | undefined;

  constructor(model: string, patterns: readonly string[], log: Logger) {
    this.model = model;
    this.patterns = patterns;
    this.log = log;
  }

  /** Throws `config.invalid` when there is none. */
  async start(): Promise<void> {
    await this.read();
    this.timer = setInterval(() => void this.refresh(), EVERY_MS);
    if (this.known.size > 0) return;
    throw new FairwayError(
      'config.invalid',
      `TAIL_MODEL_VERSIONS leads to no version of ${this.model}: mount the modelversion.json of its environment's folder.`,
    );
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** By version number. */
  all(): ReadonlyMap<string, ModelVersion> {
    return this.known;
  }

  private async refresh(): Promise<void> {
    await this.read().catch(({ message }: Error) =>
      this.log.warn({ reason: message }, 'model versions stay as they were'),
    );
  }

  private async read(): Promise<void> {
    const files = await findFiles(this.patterns);
    const stamps = files.map(({ path, stamp }) => `${path} ${stamp}`).join('\n');
    if (stamps === this.stamps) return;
    const versions = await Promise.all(files.map(({ path }) => readVersion(path)));
    const ours = versions.filter(({ model }) => model === this.model);
    this.known = new Map(ours.map((version) => [version.version, version]));
    this.stamps = stamps;
  }
}

async function readVersion(path: string): Promise<ModelVersion> {
  try {
    const read = JSON.parse(await readFile(path, 'utf8')) as Partial<ModelVersion> | null;
    const { model, version, signature, target } = read ?? {};
    const isWhole = Array.isArray(signature?.inputs) && Array.isArray(signature.outputs) && target !== undefined;
    if (typeof model === 'string' && typeof version === 'string' && isWhole) return read as ModelVersion;
  } catch {
    // Said below.
  }
  throw new FairwayError(
    'config.invalid',
    `${path} is no modelversion.json as Fairway commits it to the GitOps repository.`,
  );
}
