import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@fairway/core';
import { sasServer } from '../../../packages/gitops-writer/src/sources/sas/client.ts';
import { versionNumber } from '../../../packages/gitops-writer/src/sources/sas/identity.ts';
import { sasSource } from '../../../packages/gitops-writer/src/sources/sas/source.ts';
import { type FakeSasServer, startFakeSas } from '../../harness/sas/server.ts';
import {
  addContent,
  addModel,
  addProject,
  type Dialect,
  type FakeModel,
  type FakeProject,
  replaceContent,
  setChampion,
} from '../../harness/sas/state.ts';
import { zipOf } from '../../harness/sas/zip.ts';
import type { Registration, Target } from './target.ts';

const ARCHIVE = 'model.zip';

/** SAS Model Manager (HAND-MADE after its documentation) in one dialect: each registration is a model of one project. */
export const sasTarget = (dialect: Dialect): Target => ({
  name: `sas ${dialect}`,
  start: async () => {
    const dir = mkdtempSync(join(tmpdir(), 'fairway-source-'));
    const sas = await startFakeSas(dialect);
    const project = addProject(sas.state, 'Home Equity', { function: 'classification' });
    const server = sasServer({
      url: sas.url,
      logon: { form: { grant_type: 'client_credentials' }, client: sas.logon.client },
      caFile: undefined,
      clock: systemClock,
    });
    const byVersion = new Map<string, FakeModel>();
    return {
      source: sasSource({ server, scratch: join(dir, 'scratch'), clock: systemClock }),
      of: { model: 'home-equity', source: { registry: 'sas', projectId: project.id, archive: ARCHIVE } },
      unknown: { model: 'nobody', source: { registry: 'sas', project: 'Nobody', archive: ARCHIVE } },
      scratch: join(dir, 'scratch'),
      setting: 'SAS_URL',
      secrets: [sas.logon.client.secret, 'token-of-logon-'],
      register: async (folder, registration) => {
        const model = await register(sas, project, folder, registration);
        const version = versionNumber(model.id, '1.0') ?? '';
        byVersion.set(version, model);
        return version;
      },
      crown: (version) => Promise.resolve(setChampion(sas.state, project, byVersion.get(version ?? ''))),
      tamper: async (version) => {
        const model = byVersion.get(version);
        if (model === undefined) throw new Error(`there is no version ${version}`);
        const folder = model.fields['from'] as string;
        const files = { ...filesIn(folder), 'assets/words.txt': Buffer.from('one more word\n') };
        replaceContent(sas.state, model, ARCHIVE, await zipOf(files));
      },
      down: sas.down,
      up: sas.up,
      stop: async () => {
        server.close();
        await sas.stop();
        rmSync(dir, { recursive: true, force: true });
      },
    };
  },
});

/** The archive holds the SavedModel, and what describes it are contents of their own; the baseline names SAS's version. */
async function register(
  { state }: FakeSasServer,
  project: FakeProject,
  folder: string,
  registration: Registration,
): Promise<FakeModel> {
  const model = addModel(state, project, `HMEQ TF ${state.models.length + 1}`, { from: folder });
  addContent(state, model, ARCHIVE, await zipOf(filesIn(folder)));
  for (const [name, value] of Object.entries(registration)) {
    const own = name === 'baseline.json' ? { ...(value as object), version: model.versionName } : value;
    addContent(state, model, name, JSON.stringify(own));
  }
  return model;
}

function filesIn(folder: string): Record<string, Buffer> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => statSync(join(folder, name)).isFile());
  return Object.fromEntries(files.map((name) => [name.replaceAll('\\', '/'), readFileSync(join(folder, name))]));
}
