import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, variableBaseline } from '@fairway/core';
import { graphBuilder, numberTensor, writeSavedModel } from '@fairway/savedmodel';
import { sasServer } from '../../../packages/gitops-writer/src/sources/sas/client.ts';
import { sasSource } from '../../../packages/gitops-writer/src/sources/sas/source.ts';
import type { ModelReference } from '../../../packages/gitops-writer/src/ports.ts';
import { startFakeSas } from './server.ts';
import { addContent, addModel, addProject, type Dialect, type FakeModel } from './state.ts';
import { zipOf } from './zip.ts';

export const ARCHIVE = 'model.zip';

/** P_BAD1 = X × weight, as path → bytes. */
export async function savedModelFiles(weight: number): Promise<Record<string, Buffer>> {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-saved-'));
  const graph = graphBuilder();
  const x = graph.placeholder('X', 'DT_FLOAT', [-1, 1]);
  const w = graph.constant('w', numberTensor('DT_FLOAT', [1, 1], [weight]));
  const y = graph.op('Mul', 'y', [x, w], { T: { type: 1 } });
  const tensor = (node: string) => ({ node, dtype: 'DT_FLOAT', shape: [-1, 1] }) as const;
  await writeSavedModel(folder, graph.build(), {
    serving_default: { inputs: { X: tensor(x) }, outputs: { P_BAD1: tensor(y) } },
  });
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => statSync(join(folder, name)).isFile());
  const read = Object.fromEntries(files.map((name) => [name, readFileSync(join(folder, name))]));
  rmSync(folder, { recursive: true });
  return read;
}

/** What SAS knows about such a model in fields of its own. */
export const PROJECT_FIELDS = {
  function: 'classification',
  targetVariable: 'BAD',
  targetLevel: 'NOMINAL',
  targetEventValue: '1',
  eventProbabilityVariable: 'P_BAD1',
};
export const MODEL_FIELDS = {
  algorithm: 'Neural network',
  targetEvent: '',
  inputVariables: [{ name: 'X', role: 'input', type: 'Decimal', level: 'Interval', length: 8 }],
  outputVariables: [{ name: 'P_BAD1', role: 'output', type: 'decimal', level: '', length: 8 }],
  properties: [{ name: '_AUC_', value: '0.81', type: 'numeric' }],
};
export const baseline = (more: object = {}): string =>
  JSON.stringify({
    definition: 1,
    rows: 3,
    events: 1,
    source: 'a'.repeat(64),
    variables: [variableBaseline('X', 'numeric', [1, 2, 3])],
    performance: { auc: 0.8, ks: 0.5, rows: 3, events: 1 },
    scores: [[5000, 2, 1]],
    ...more,
  });

/** A fake SAS with one project, and a source that reads it. */
export async function startExample(dialect: Dialect, clock: Clock, archiveBytes?: number) {
  const sas = await startFakeSas(dialect);
  const scratch = mkdtempSync(join(tmpdir(), 'fairway-sas-'));
  const project = addProject(sas.state, 'Home Equity', { ...PROJECT_FIELDS });
  const logon = { form: { grant_type: 'client_credentials' }, client: { ...sas.logon.client } } as const;
  const server = sasServer({ url: sas.url, logon, caFile: undefined, clock });
  const publishWait = { everyMs: 5, atMostMs: 1_000, forgottenMs: 3_600_000 };
  const of: ModelReference = {
    model: 'home-equity',
    source: { registry: 'sas', project: 'Home Equity', archive: ARCHIVE },
  };
  return {
    sas,
    server,
    scratch,
    project,
    of,
    source: sasSource({ server, scratch, clock, publishWait, ...(archiveBytes === undefined ? {} : { archiveBytes }) }),
    /** A model whose archive has the SavedModel, and whose fields say the rest, but for the baseline. */
    addModel: async (name: string, weight: number): Promise<FakeModel> => {
      const model = addModel(sas.state, project, name, { ...MODEL_FIELDS });
      addContent(sas.state, model, 'score.py', 'print(1)');
      addContent(sas.state, model, ARCHIVE, await zipOf(await savedModelFiles(weight)));
      addContent(sas.state, model, 'baseline.json', baseline());
      return model;
    },
    stop: async () => {
      server.close();
      await sas.stop();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

export type Example = Awaited<ReturnType<typeof startExample>>;
