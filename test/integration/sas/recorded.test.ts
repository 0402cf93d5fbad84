import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { systemClock } from '@fairway/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsed, type SasServer, sasServer } from '../../../packages/gitops-writer/src/sources/sas/client.ts';
import { contentsOf, download } from '../../../packages/gitops-writer/src/sources/sas/contents.ts';
import { collect } from '../../../packages/gitops-writer/src/sources/sas/paging.ts';
import { frozenVersions, projectOf, readModel } from '../../../packages/gitops-writer/src/sources/sas/projects.ts';
import { publishState } from '../../../packages/gitops-writer/src/sources/sas/publish.ts';
import type { SasVersion } from '../../../packages/gitops-writer/src/sources/sas/versions.ts';
import {
  instant,
  modelSchema,
  projectSchema,
  publishSchema,
} from '../../../packages/gitops-writer/src/sources/sas/wire.ts';
import {
  hasRecordings,
  NO_RECORDINGS,
  type Replay,
  recorded,
  recordings,
  startReplay,
} from '../../harness/sas/replay.ts';

const IRIS = 'e7087039-09a5-40ce-81e7-caf67583f95a';
/** Of a model that lists know by this id. */
const version = (modelId: string): SasVersion => ({ modelId, label: 'a model 1.0' }) as SasVersion;
/** As a caller of the API sends what was recorded. */
const again = (file: string) => {
  const { request } = recorded(file);
  const { json, base64 } = request.body;
  const type = request.headers['Content-Type']?.[0] ?? '';
  const bytes = base64 === undefined ? Buffer.from(JSON.stringify(json)) : Buffer.from(base64, 'base64');
  return { path: request.uri.replace(/#.*$/, '').replace('https://viya.example.com', ''), body: { bytes, type } };
};

/** A test that needs the recordings; SKIPPED with a reason where they are not. */
const recordedTests = hasRecordings ? describe : describe.skip;

for (const dialect of ['3.5', '2023.10'] as const) {
  const suffix = dialect.replace('.', '');
  recordedTests(`recorded exchanges of SAS ${dialect}${hasRecordings ? '' : ` (${NO_RECORDINGS})`}`, () => {
    let replay: Replay;
    let server: SasServer;
    const scratch = mkdtempSync(join(tmpdir(), 'fairway-recorded-'));
    beforeAll(async () => {
      // No logon of 3.5 is recorded; the later one serves both.
      // The model of c4 was deleted at the end: that answer is for the same address, and has a server of its own below.
      const files = recordings(suffix).filter((file) => file !== 'i1-model-404.202310');
      replay = await startReplay([...files, 'a1-token-password.202310']);
      const form = { grant_type: 'password', username: 'USERNAME', password: 'REDACTED' } as const;
      const logon = { form, client: { id: 'sas.ec', secret: '' } };
      server = sasServer({ url: replay.url, logon, caFile: undefined, clock: systemClock });
    });
    afterAll(async () => {
      server.close();
      await replay.stop();
      rmSync(scratch, { recursive: true });
      // Each recording was asked for by something that reads it.
      expect(recordings(suffix).filter((file) => !replay.asked.some((one) => one.file === file))).toEqual([]);
    });

    if (dialect === '2023.10') later();
    else old();

    function later(): void {
      it('logs on by the form that was recorded', async () => {
        const said = await server.call('GET', '/deploymentData/cadenceVersion');
        expect(said.data).toMatchObject({ cadenceVersion: '2023.10' });
        const [logon] = replay.asked;
        expect(logon?.file).toBe('a1-token-password.202310');
        expect(logon?.body).toBe(recorded('a1-token-password.202310').request.body.text);
      });

      it('finds a project by its name', async () => {
        const filter = 'eq(name,"sasctl_testing TestAstoreModel")';
        const what = 'to look for it';
        const found = await collect(server, { path: '/modelRepository/projects', filter, item: projectSchema, what });
        expect(found).toMatchObject([{ targetVariable: 'Species', eventProbabilityVariable: 'P_Species1' }]);
      });

      it('takes nulls for lists, and zero times for none', async () => {
        const model = await readModel(server, IRIS);
        expect(model).toMatchObject({ name: 'IrisGradBoost', modelVersionName: '1.0', properties: [] });
        expect(model.inputVariables.map(({ name }) => name)).toContain('PetalLength');
        expect(instant(model.modifiedTimeStamp)).toBe(Date.parse('2024-08-23T15:09:52.387Z'));
        const { creationTimeStamp } = model['dataPlanSnapShot'] as { creationTimeStamp: string };
        expect([creationTimeStamp, instant(creationTimeStamp)]).toEqual(['0001-01-01T00:00:00Z', undefined]);
      });

      it('has weak ETags as they came', async () => {
        const { etag } = await server.read(`/modelRepository/models/${IRIS}`, modelSchema, 'to read it');
        expect(etag).toBe('W/"1724425792387586000"');
      });

      it('makes of an error of SAS one that keeps its trace', async () => {
        const gone = await startReplay(['i1-model-404.202310', 'i4-nginx-html-404.202310', 'a1-token-password.202310']);
        const logon = { form: { grant_type: 'client_credentials' }, client: { id: 'a', secret: 'b' } } as const;
        const other = sasServer({ url: gone.url, logon, caFile: undefined, clock: systemClock });
        await expect(readModel(other, IRIS)).rejects.toMatchObject({
          code: 'model.unknown',
          message: expect.stringContaining('404, SAS error 21206, trace ef166b44-dd25-44b4-80af-d0bf0917f51a'),
          detail: { trace: 'ef166b44-dd25-44b4-80af-d0bf0917f51a', errorCode: 21_206 },
        });
        // A web page is no "there is none".
        const route = '/projects/projects?filter=eq(name,"Test Project")';
        await expect(other.find(route, projectSchema, 'to look')).rejects.toMatchObject({
          code: 'registry.unavailable',
          message: expect.stringMatching(/a web page, 404 Not Found; .*check SAS_URL\.$/),
        });
        replay.asked.push(...gone.asked);
        other.close();
        await gone.stop();
      });

      it('downloads by a link that has no href', async () => {
        const contents = await contentsOf(server, version('5db2e3b9-eeb0-4508-95a7-81c9abd5c4fe'));
        expect(contents).toHaveLength(6);
        expect(contents.find(({ name }) => name === 'ModelProperties.json')?.links).toEqual([
          { rel: 'content', uri: expect.stringMatching(/\/contents\/19aef4b5-[\w-]+\/content$/) },
        ]);
        const file = await server.download('/files/files/7f72725d-c6d2-4348-b0b3-3d3b3ed1008b/content', 'to give it');
        expect((await text(file.body)).length).toBeGreaterThan(20);
        expect(file.headers['etag']).toBe('"m07422be"');
      });

      it('knows a publish that is pending from one that is completed with an empty error', async () => {
        const { path, body } = again('g4-publish-post.202310');
        const posted = await server.call('POST', path, { body });
        expect(parsed(publishSchema, posted, 'to publish')).toMatchObject({ state: 'pending', modelId: IRIS });
        expect(await publishState(server, 'eddca5e5-3456-4862-9e84-4fa38d726ba6')).toBe('completed');
        const log = await server.call('GET', '/modelPublish/models/eddca5e5-3456-4862-9e84-4fa38d726ba6/log');
        expect(log.data).toMatchObject({ log: expect.stringMatching(/^SUCCESS===/) });
      });

      it('takes the answer to a new version for the old one, frozen', async () => {
        const { path, body } = again('j3-model-version-create.202310');
        const frozen = parsed(modelSchema, await server.call('POST', path, { body }), 'to make a version');
        expect(frozen).toMatchObject({ immutable: true, modelVersionName: '1.0' });
        expect(frozen.id).not.toBe(IRIS);
      });

      it('reads lists and answers of other services', async () => {
        const what = 'to list';
        expect(await collect(server, { path: '/modelPublish/destinations', item: projectSchema, what })).toHaveLength(
          4,
        );
        const created = again('b7-project-create.202310');
        const project = await server.call('POST', created.path, { body: created.body });
        expect(parsed(projectSchema, project, 'to make')).toMatchObject({ name: 'Test_Project', variables: [] });
        expect([project.headers['etag'], project.headers['location']]).toEqual(['W/"1724425752464241000"', undefined]);
        // The second page was not recorded: the link to it is followed as it stands.
        await expect(collect(server, { path: '/folders/folders?limit=2', item: projectSchema, what })).rejects.toThrow(
          '501',
        );
        expect(replay.asked.at(-1)?.key).toBe('GET /folders/folders?limit=2&start=2');
      });
    }

    function old(): void {
      it('lists projects, and says that there is none of a name', async () => {
        const what = 'to list';
        expect(await collect(server, { path: '/modelRepository/projects', item: projectSchema, what })).toHaveLength(8);
        const source = { registry: 'sas', project: 'sasctl_testing TestAstoreModel', archive: 'a.zip' } as const;
        await expect(projectOf(server, { model: 'iris', source })).rejects.toMatchObject({
          code: 'model.unknown',
          message: expect.stringContaining('no project named sasctl_testing TestAstoreModel'),
        });
      });

      it('gives a strong ETag back as it came', async () => {
        const path = '/modelRepository/projects/e22cde0e-b884-4535-99c9-2cdb50a3c8da';
        const { value, etag = '' } = await server.read(path, projectSchema, 'to read it');
        expect([value.name, value.targetLevel, value.variables.length]).toEqual([
          'sasctl_testing Boston Housing',
          'interval',
          14,
        ]);
        const { body } = again('c3-project-put-if-match.35');
        const put = await server.call('PUT', path, { body, headers: { 'if-match': etag } });
        expect(replay.asked.at(-1)?.ifMatch).toBe(
          recorded('c3-project-put-if-match.35').request.headers['If-Match']?.[0],
        );
        expect([put.status, put.headers['etag']]).toEqual([200, '"m076hznm"']);
      });

      it('lists contents that come with a count only, and downloads a text that is called JSON', async () => {
        const contents = await contentsOf(server, version('73cbce99-9214-4cf0-adfa-59276d55dca1'));
        expect(contents.map(({ name }) => name)).toContain('ModelProperties.json');
        const [path, id] = [
          '/modelRepository/models/4d7a9d6e-66ca-43bc-a9f0-a09e93134415',
          '1569b381-f95d-4a6a-b304-2c0200886af8',
        ];
        const link = { rel: 'content', uri: `${path}/contents/${id}/content` };
        const file = join(scratch, 'score.sas');
        const { sha256, bytes } = await download(server, { id, name: 'score.sas', links: [link] }, file, 10_000);
        expect(bytes).toBe(4_880);
        expect(sha256).toBe(createHash('sha256').update(readFileSync(file)).digest('hex'));
        await expect(
          download(server, { id, name: 'score.sas', links: [link] }, join(scratch, 'b'), 4_000),
        ).rejects.toThrow('larger than 4000 bytes');
      });

      it('lists frozen versions', async () => {
        const model = modelSchema.parse({ id: '73cbce99-9214-4cf0-adfa-59276d55dca1', name: 'IrisGradBoost' });
        const versions = await frozenVersions(server, model);
        expect(versions.map(({ modelVersionName }) => modelVersionName)).toEqual(['1.0', '2.0']);
        expect(versions[0]).toMatchObject({ immutable: true, targetEvent: '', eventProbVar: '' });
      });

      it('walks two pages by their links', async () => {
        const what = 'to list';
        const modules = await collect(server, { path: '/microanalyticScore/modules', item: projectSchema, what });
        expect(modules).toHaveLength(29);
        expect(replay.asked.slice(-2).map(({ key }) => key)).toEqual([
          'GET /microanalyticScore/modules?',
          'GET /microanalyticScore/modules?limit=20&start=20',
        ]);
      });

      it('reads what else it answers', async () => {
        const imported = again('e5-zip-import-post.35');
        const answer = await server.call('POST', imported.path, { body: imported.body });
        // One model, and the answer is a list all the same.
        const { items } = answer.data as { items: unknown[] };
        expect(items.map((one) => modelSchema.parse(one))).toMatchObject([
          { name: 'sasctl_testing_scikit_model', targetLevel: 'NOMINAL', targetEvent: '' },
        ]);
        const definition = again('f1-performance-definition-create.35');
        const created = await server.call('POST', definition.path, { body: definition.body });
        expect([created.status, created.headers['location'], created.headers['etag']]).toEqual([
          201,
          '/modelManagement/performanceTasks/429a4f20-2395-42f4-99bb-153281e0049b',
          '"m076i0bp"',
        ]);
      });
    }
  });
}
