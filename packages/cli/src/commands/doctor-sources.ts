import { FairwayError } from '@fairway/core';
import { expectJson } from '../stack/http.ts';
import { connection } from './connection.ts';
import type { Check } from './requirements.ts';

/** What `GET /v1/models` and `GET /v1/models/{model}/source` say of it. */
type Model = { readonly model: string; readonly source: string };
type Version = { readonly version: string; readonly label?: string };
type Source = {
  readonly source: { readonly registry: string };
  readonly approves?: string;
  readonly problems: readonly string[];
  readonly champion?: Version & { readonly actor?: string };
  readonly versions: readonly Version[];
};

export type SourceQuestion = { readonly source?: string | undefined; readonly model?: string | undefined };

/** Registries answer slowly where a version has to be loaded to be examined. */
const PATIENCE_MS = 5 * 60_000;

/** What is missing in the registries before models can travel: the checks of each model that is asked about. */
export async function checkSources({ source, model }: SourceQuestion, dir: string): Promise<Check[]> {
  const { writer, writerToken: token } = connection(dir, process.env);
  // A model.yaml that is not usable is in no list, and asked for by name it says why.
  const names = model === undefined ? await modelsOf(source, writer, token) : [model];
  const checks: Check[] = [];
  for (const name of names) {
    const url = `${writer}/v1/models/${encodeURIComponent(name)}/source`;
    checks.push(...(await checkOne({ model: name, source }, url, token)));
  }
  return checks;
}

async function modelsOf(source: string | undefined, writer: string, token: string): Promise<string[]> {
  const { models } = await expectJson<{ models: readonly Model[] }>('The writer', `${writer}/v1/models`, { token });
  const found = models.filter((one) => one.source === (source ?? one.source));
  if (found.length > 0) return found.map(({ model }) => model);
  const known = models.map((one) => `${one.model} (${one.source})`).join(', ') || 'none yet';
  throw new FairwayError(
    'model.unknown',
    `No model in the GitOps repository comes from ${source ?? 'a registry'}; it has: ${known}.`,
  );
}

type Asked = { readonly model: string; readonly source: string | undefined };

async function checkOne({ model, source }: Asked, url: string, token: string): Promise<Check[]> {
  try {
    const said = await expectJson<Source>('The writer', url, { token, timeoutMs: PATIENCE_MS });
    const { registry } = said.source;
    if (source !== undefined && registry !== source)
      return [
        { name: model, ok: false, text: `comes from ${registry}, not from ${source} (source in its model.yaml).` },
      ];
    if (said.problems.length > 0) return said.problems.map((text) => ({ name: model, ok: false, text }));
    return [{ name: model, ok: true, text: summary(said) }];
  } catch (error) {
    // A registry that is down, or not connected, is one model's trouble; a writer that is down is everybody's.
    if (error instanceof FairwayError && typeof error.detail['status'] === 'number')
      return [{ name: model, ok: false, text: error.message }];
    throw error;
  }
}

function summary({ source: { registry }, approves, champion, versions }: Source): string {
  const called = ({ version, label }: Version) => (label === undefined ? version : `${version} (${label})`);
  const count = versions.length === 1 ? '1 version' : `${versions.length} versions`;
  const who = champion === undefined ? 'no champion' : `champion ${called(champion)}`;
  const use =
    approves === undefined
      ? 'a champion is no approval (model.yaml has no source.approves)'
      : `a champion is an approval for ${approves}`;
  return `nothing is missing in ${registry}: ${count}, ${who}; ${use}`;
}
