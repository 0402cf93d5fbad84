import { readdirSync } from 'node:fs';
import type { FairwayError } from '@fairway/core';
import { digestTree } from '@fairway/savedmodel';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasDigits, versionNumber } from '../../../packages/gitops-writer/src/sources/sas/identity.ts';
import { ARCHIVE, baseline, type Example, savedModelFiles, startExample } from '../../harness/sas/example.ts';
import {
  addContent,
  addModel,
  addProcess,
  addProject,
  addPublish,
  type Dialect,
  type FakeModel,
  freeze,
  replaceContent,
  setChampion,
} from '../../harness/sas/state.ts';
import { zipOf } from '../../harness/sas/zip.ts';

let now = Date.parse('2026-03-01T08:00:00Z');
const clock = { now: () => now };
let example: Example;
const start = async (dialect: Dialect, archiveBytes?: number) => {
  await example?.stop();
  example = await startExample(dialect, clock, archiveBytes);
};
beforeEach(() => start('2023.10'));
afterEach(async () => {
  expect(readdirSync(example.scratch)).toEqual([]);
  await example.stop();
});

const number = ({ id }: FakeModel, name = '1.0') => versionNumber(id, name) ?? '';
const load = (version: string) => example.source.load(example.of, version);
const errorOf = (asked: Promise<unknown>): Promise<FairwayError> =>
  asked.then(
    () => expect.fail('it was answered'),
    (error: FairwayError) => error,
  );

describe.each(['3.5', '2023.10'] as const)('SAS %s', (dialect) => {
  beforeEach(() => start(dialect));

  it('gives what an approval needs, from fields where there are no files', async () => {
    const model = await example.addModel('HMEQ TF', 2);
    const process = addProcess(example.sas.state, example.project, 'fairway');
    const { modelVersion, baseline: profile, answerTo } = await load(number(model));
    const address = `sas:${example.project.id}/${model.id}`;
    expect(modelVersion).toMatchObject({
      model: 'home-equity',
      version: number(model),
      label: 'HMEQ TF 1.0',
      origin: `${address}/1.0`,
      target: { variable: 'BAD', event: '1', probability: 'P_BAD1' },
      metrics: { auc: 0.81 },
      variables: [
        { name: 'X', type: 'decimal', role: 'input', length: 8 },
        { name: 'P_BAD1', type: 'decimal', role: 'output', length: 8 },
      ],
    });
    expect(profile).toMatchObject({ model: 'home-equity', version: number(model) });
    expect(answerTo).toBe(`${address}/${process.id}`);
    const files = await example.source.files(example.of, number(model));
    expect(await digestTree(files.folder)).toBe(modelVersion.digest);
    await files.dispose();
  });

  it('reads a frozen version from its frozen contents, and the newest from the model', async () => {
    const model = await example.addModel('HMEQ TF', 2);
    const first = (await load(number(model))).modelVersion.digest;
    freeze(example.sas.state, model, 'minor');
    freeze(example.sas.state, model, 'major');
    replaceContent(example.sas.state, model, ARCHIVE, await zipOf(await savedModelFiles(3)));
    const other = await example.addModel('HMEQ GB', 4);
    expect(await example.source.versions(example.of)).toMatchObject([
      { version: number(model, '1.0'), label: 'HMEQ TF 1.0' },
      { version: number(model, '1.1'), label: 'HMEQ TF 1.1' },
      { version: number(model, '2.0'), label: 'HMEQ TF 2.0' },
      { version: number(other, '1.0'), label: 'HMEQ GB 1.0' },
    ]);
    expect((await load(number(model, '1.0'))).modelVersion.digest).toBe(first);
    const newest = (await load(number(model, '2.0'))).modelVersion;
    expect(newest.digest).not.toBe(first);
    expect(newest.label).toBe('HMEQ TF 2.0');
    setChampion(example.sas.state, example.project, model);
    expect(await example.source.champion(example.of)).toMatchObject({
      version: number(model, '2.0'),
      label: 'HMEQ TF 2.0',
      actor: 'modeler',
      at: new Date(example.project.championSince ?? 0).toISOString(),
      answerTo: `sas:${example.project.id}/${model.id}`,
      names: { projectId: example.project.id, modelId: model.id, modelVersionName: '2.0' },
    });
  });

  it('reads lists of several pages', async () => {
    example.sas.pageSize = 3;
    const model = await example.addModel('HMEQ TF', 2);
    for (let n = 0; n < 30; n += 1) addContent(example.sas.state, model, `notes-${n}.txt`, 'x');
    for (let n = 0; n < 7; n += 1) addModel(example.sas.state, example.project, `idea ${n}`);
    const last = await example.addModel('HMEQ GB', 3);
    await load(number(model));
    await load(number(last));
    expect(await example.source.versions(example.of)).toHaveLength(9);
  });
});

describe('a project', () => {
  const of = (source: object) =>
    ({ model: 'home-equity', source: { registry: 'sas', archive: ARCHIVE, ...source } }) as const;
  const versions = (source: object) => example.source.versions(of(source));

  it('is found by its exact name even when filters are not honoured', async () => {
    example.sas.ignoresFilters = true;
    addModel(example.sas.state, addProject(example.sas.state, 'Home Equity 2'), 'not ours');
    const model = await example.addModel('HMEQ TF', 2);
    addProcess(example.sas.state, addProject(example.sas.state, 'Third'));
    expect(await versions({ project: 'Home Equity' })).toMatchObject([{ version: number(model) }]);
    expect((await load(number(model))).answerTo).toBe(`sas:${example.project.id}/${model.id}`);
  });

  it('is refused when the name is not that of one', async () => {
    expect((await errorOf(versions({ project: 'home equity' }))).message).toMatch(
      /^SAS has no project named home equity/,
    );
    const twin = addProject(example.sas.state, 'Home Equity');
    const { code, message } = await errorOf(versions({ project: 'Home Equity' }));
    expect(code).toBe('model.unknown');
    expect(message).toContain(
      `2 projects named Home Equity (${example.project.id}, ${twin.id}): give source.projectId`,
    );
    expect(await versions({ projectId: twin.id })).toEqual([]);
    expect((await errorOf(versions({ projectId: 'gone' }))).message).toMatch(/no project with the id gone/);
    expect((await errorOf(versions({ project: 'a "b"' }))).message).toContain('give source.projectId');
  });

  it('says what right is missing', async () => {
    example.sas.forbidden = /projects/;
    const { code, message } = await errorOf(versions({ project: 'Home Equity' }));
    expect(code).toBe('registry.unavailable');
    expect(message).toMatch(
      /refuses to look for project Home Equity \(403, SAS error 1177, trace [\w-]+\): Forbidden; give/,
    );
  });
});

describe('version numbers', () => {
  it('follow from model and name, and lead back', () => {
    expect(versionNumber('e7087039-09a5-40ce-81e7-caf67583f95a', '2.1')).toMatch(/^[1-9]\d{5}002001$/);
    expect(versionNumber('a', '999.999')).toMatch(/999999$/);
    for (const name of ['', '2', '2.1.3', '1000.0', 'v2.1', '2.1 ']) expect(versionNumber('a', name)).toBeUndefined();
    expect(hasDigits('a', versionNumber('a', '3.4')?.slice(0, 6) ?? '')).toBe(true);
  });

  it('are refused where two versions would share one', async () => {
    const [model, twin] = [await example.addModel('HMEQ TF', 2), await example.addModel('HMEQ GB', 3)];
    const [one, other] = sharing();
    Object.assign(model, { id: one });
    Object.assign(twin, { id: other });
    const { code, message } = await errorOf(load(number(model)));
    expect(code).toBe('model.invalid');
    expect(message).toContain(
      `HMEQ TF 1.0 (model ${model.id}) and HMEQ GB 1.0 (model ${twin.id}) would both be version ${number(model)}`,
    );
  });

  it('are not given to a name that is none, which the champion says', async () => {
    const model = await example.addModel('HMEQ TF', 2);
    model.versionName = 'final';
    expect(await example.source.versions(example.of)).toEqual([]);
    setChampion(example.sas.state, example.project, model);
    const { code, message } = await errorOf(example.source.champion(example.of));
    expect([code, message]).toEqual(['model.invalid', expect.stringContaining('the version name "final" in SAS')]);
  });
});

/** Two ids whose versions begin with the same six digits: among some thousand ids there are two. */
function sharing(): [string, string] {
  const known = new Map<string, string>();
  for (let n = 0; ; n += 1) {
    const digits = versionNumber(`model-${n}`, '0.0')?.slice(0, 6) ?? '';
    const other = known.get(digits);
    if (other !== undefined) return [other, `model-${n}`];
    known.set(digits, `model-${n}`);
  }
}

describe('contents', () => {
  it('must have exactly one archive of the agreed name', async () => {
    const model = await example.addModel('HMEQ TF', 2);
    const archive = model.contents.find(({ name }) => name === ARCHIVE);
    addContent(example.sas.state, model, 'model (1).zip', 'x');
    await load(number(model));
    addContent(example.sas.state, model, ARCHIVE, archive?.bytes ?? '');
    expect((await errorOf(load(number(model)))).message).toMatch(/^HMEQ TF 1\.0 has 2 contents named model\.zip/);
    model.contents.splice(0, model.contents.length, ...model.contents.filter(({ name }) => name !== ARCHIVE));
    const { code, message } = await errorOf(load(number(model)));
    expect(code).toBe('model.invalid');
    expect(message).toContain('it has: score.py, baseline.json, model (1).zip');
    // It is a champion all the same: what refuses it is its loading, whose reasons go back to the workflow.
    setChampion(example.sas.state, example.project, model);
    const champion = () => example.source.champion(example.of);
    const before = await champion();
    expect(before).toMatchObject({ version: number(model), fingerprint: (await champion())?.fingerprint });
    addContent(example.sas.state, model, ARCHIVE, archive?.bytes ?? '');
    expect((await champion())?.fingerprint).not.toBe(before?.fingerprint);
  });

  it('may describe the model inside the archive or beside it, in the same words only', async () => {
    const model = await example.addModel('HMEQ TF', 2);
    const properties = { targetVariable: 'BAD', targetEvent: '0', eventProbVar: 'P_BAD1' };
    const packed = { ...(await savedModelFiles(2)), 'ModelProperties.json': JSON.stringify(properties) };
    replaceContent(example.sas.state, model, ARCHIVE, await zipOf(packed));
    expect((await load(number(model))).modelVersion.target.event).toBe('0');
    // As SAS writes it when it takes a file out of an archive.
    addContent(example.sas.state, model, 'ModelProperties.json', JSON.stringify(properties, undefined, 2));
    await load(number(model));
    replaceContent(
      example.sas.state,
      model,
      'ModelProperties.json',
      JSON.stringify({ ...properties, targetEvent: '1' }),
    );
    const { code, message } = await errorOf(load(number(model)));
    expect(code).toBe('model.invalid');
    expect(message).toMatch(/^HMEQ TF 1\.0 has ModelProperties\.json twice in SAS.*they differ/);
  });

  it('must bring the baseline of this version, by any of its names', async () => {
    const model = await example.addModel('HMEQ TF', 2);
    for (const name of [
      { version: '1.0', model: 'HMEQ TF' },
      { version: number(model), model: 'home-equity' },
    ]) {
      replaceContent(example.sas.state, model, 'baseline.json', baseline(name));
      expect((await load(number(model))).baseline).toMatchObject({ version: number(model), model: 'home-equity' });
    }
    freeze(example.sas.state, model, 'minor');
    replaceContent(example.sas.state, model, 'baseline.json', baseline({ version: '1.0' }));
    const { message } = await errorOf(load(number(model, '1.1')));
    expect(message).toMatch(/^baseline\.json of HMEQ TF 1\.1 in SAS is that of version "1\.0"/);
  });

  it('that change while they are read are refused', async () => {
    const model = await example.addModel('HMEQ TF', 2);
    const bytes = await zipOf(await savedModelFiles(3));
    let changed = false;
    example.sas.meanwhile = ({ path }) => {
      if (changed || !path.endsWith('/content')) return;
      changed = true;
      replaceContent(example.sas.state, model, ARCHIVE, bytes);
    };
    expect(await errorOf(load(number(model)))).toMatchObject({ code: 'model.changed' });
    const before = (await load(number(model))).modelVersion.digest;
    changed = false;
    example.sas.meanwhile = ({ path }) => {
      if (changed || !path.endsWith('/content')) return;
      changed = true;
      freeze(example.sas.state, model, 'minor');
    };
    expect(await errorOf(load(number(model)))).toMatchObject({ code: 'model.changed' });
    example.sas.meanwhile = undefined;
    // The same number is the frozen version now.
    expect((await load(number(model))).modelVersion.digest).toBe(before);
  });
});

describe('a download', () => {
  it('that breaks off at 90 % leaves nothing behind', async () => {
    const model = await example.addModel('HMEQ TF', 2);
    example.sas.faults.push({ on: /contents\/.*\/content$/, cutAt: 0.9 });
    const { code, message, disposition } = await errorOf(example.source.files(example.of, number(model)));
    expect([code, disposition]).toEqual(['registry.unavailable', 'retryable']);
    expect(message).toMatch(/^The download of model\.zip from SAS Viya \(SAS_URL\) broke off after [1-9]\d* bytes/);
    expect(readdirSync(example.scratch)).toEqual([]);
  });

  it.each([
    [
      'a web page',
      { status: 200, headers: { 'Content-Type': 'text/html' }, raw: Buffer.from('<html><title>Sign in</title>') },
      /was asked to give model\.zip, and it answers with a web page, Sign in; check SAS_URL/,
    ],
    [
      'a refusal',
      { status: 410, json: { message: 'The file has been purged.' } },
      /refuses to give model\.zip \(410\): The file has been purged/,
    ],
  ])('that is %s is said to be one', async (_what, reply, sentence) => {
    const model = await example.addModel('HMEQ TF', 2);
    example.sas.faults.push({ on: /contents\/.*\/content$/, reply });
    expect((await errorOf(load(number(model)))).message).toMatch(sentence);
  });

  it('is no larger than it may be, and not empty', async () => {
    await start('2023.10', 100);
    const model = await example.addModel('HMEQ TF', 2);
    expect((await errorOf(load(number(model)))).message).toMatch(/^model\.zip in SAS is larger than 100 bytes/);
    replaceContent(example.sas.state, model, ARCHIVE, '');
    expect((await errorOf(load(number(model)))).message).toMatch(/^model\.zip is empty in SAS/);
  });
});

describe('the champion', () => {
  it('is nobody by a 404 of SAS, and an error by one of the ingress', async () => {
    expect(await example.source.champion(example.of)).toBeUndefined();
    const raw = Buffer.from('<html><head><title>404 Not Found</title></head></html>');
    example.sas.faults.push({ on: /champion$/, reply: { status: 404, headers: { 'Content-Type': 'text/html' }, raw } });
    expect(await errorOf(example.source.champion(example.of))).toMatchObject({ code: 'registry.unavailable' });
  });

  it('is hashed once for each state of its archive', async () => {
    const model = await example.addModel('HMEQ TF', 2);
    setChampion(example.sas.state, example.project, model);
    const downloads = () => example.sas.seen.filter(({ url }) => url.endsWith('/content')).length;
    const first = await example.source.champion(example.of);
    expect((await example.source.champion(example.of))?.fingerprint).toBe(first?.fingerprint);
    expect(downloads()).toBe(1);
    const [archive] = model.contents.filter(({ name }) => name === ARCHIVE);
    replaceContent(example.sas.state, model, ARCHIVE, archive?.bytes ?? '');
    // Written anew, and the same bytes.
    expect((await example.source.champion(example.of))?.fingerprint).toBe(first?.fingerprint);
    expect(downloads()).toBe(2);
    freeze(example.sas.state, model, 'minor');
    expect((await example.source.champion(example.of))?.fingerprint).not.toBe(first?.fingerprint);
  });

  it('is answered to its process only where one alone is waiting for the project', async () => {
    const model = await example.addModel('HMEQ TF', 2);
    setChampion(example.sas.state, example.project, model);
    const address = async () => (await example.source.champion(example.of))?.answerTo;
    const done = addProcess(example.sas.state, example.project);
    done.state = 'Completed';
    addProcess(example.sas.state, addProject(example.sas.state, 'Other'));
    expect(await address()).toBe(`sas:${example.project.id}/${model.id}`);
    const { id } = addProcess(example.sas.state, example.project);
    expect(await address()).toBe(`sas:${example.project.id}/${model.id}/${id}`);
    addProcess(example.sas.state, example.project);
    expect(await address()).toBe(`sas:${example.project.id}/${model.id}`);
    example.sas.forbidden = /workflowProcesses/;
    expect(await address()).toBe(`sas:${example.project.id}/${model.id}`);
  });
});

describe('a publish that is under way', () => {
  it('is waited for, whatever the order of its states', async () => {
    const model = await example.addModel('HMEQ TF', 2);
    const publish = addPublish(example.sas.state, model, ['running', 'running', 'pending', 'Pending', 'COMPLETED']);
    addPublish(example.sas.state, model, ['failed']);
    now = publish.modifiedAt + 5_000;
    await load(number(model));
    const looks = example.sas.seen.filter(({ url }) => url.startsWith(`/modelPublish/models/${publish.id}`));
    expect(looks).toHaveLength(5);
    const contents = example.sas.seen.findIndex(({ url }) => url.endsWith('/content'));
    expect(contents).toBeGreaterThan(example.sas.seen.findLastIndex(({ url }) => url.includes(publish.id)));
  });

  it('is waited for so long, and one that was forgotten not at all', async () => {
    const model = await example.addModel('HMEQ TF', 2);
    const { id, modifiedAt } = addPublish(example.sas.state, model, ['pending']);
    now = modifiedAt + 5_000;
    // Each look takes half a second of the injected time.
    example.sas.meanwhile = ({ path }) => {
      if (path.endsWith(id)) now += 500;
    };
    const { code, message } = await errorOf(load(number(model)));
    expect(code).toBe('registry.unavailable');
    expect(message).toMatch(/^SAS is publishing the model \(\w+\), and has not ended within 1 s/);
    now = modifiedAt + 3_601_000;
    await load(number(model));
    example.sas.forbidden = /modelPublish/;
    now = modifiedAt + 5_000;
    await load(number(model));
  });
});

describe('examining', () => {
  const examine = () => example.source.examine(example.of);
  it('has nothing to say about a champion that can travel', async () => {
    setChampion(example.sas.state, example.project, await example.addModel('HMEQ TF', 2));
    expect(await examine()).toEqual([]);
  });

  it('names each field that is missing, and that there is no champion', async () => {
    example.project.fields = {};
    const said = await examine();
    expect(said.map((one) => /has no ([\w ]+?)(?: \(|;)/.exec(one)?.[1])).toEqual([
      'function',
      'target variable',
      'target level',
      'target event value',
      'event probability variable',
      'input variables',
      'output variables',
      'champion',
    ]);
    for (const one of said) expect(one).toMatch(/^Project Home Equity in SAS has no .*\.$/);
  });

  it('says what loading says, and of fields only what no file tells', async () => {
    const model = await example.addModel('HMEQ TF', 2);
    setChampion(example.sas.state, example.project, model);
    example.project.fields = { ...example.project.fields, targetEventValue: undefined, function: 'prediction' };
    model.contents.splice(2, 1);
    expect(await examine()).toEqual([
      expect.stringContaining('has no target event value (targetEventValue)'),
      expect.stringContaining('is one of prediction'),
      expect.stringMatching(/targetEvent/),
      expect.stringMatching(/baseline\.json/),
    ]);
  });

  it('asks of a project whose target is a number for its prediction, and for no event', async () => {
    const model = await example.addModel('HMEQ TF', 2);
    setChampion(example.sas.state, example.project, model);
    const { targetVariable } = example.project.fields;
    example.project.fields = { targetVariable, targetLevel: 'Interval', function: 'prediction' };
    model.contents.splice(
      model.contents.findIndex(({ name }) => name === 'ModelProperties.json'),
      1,
    );
    expect((await examine())[0]).toContain('has no prediction variable (predictionVariable)');
    example.project.fields = { ...example.project.fields, predictionVariable: 'P_LOAN' };
    const said = (await examine()).join('\n');
    expect(said).not.toMatch(/prediction variable|is one of|target event|event probability/);
  });

  it('names what is wrong with archive, version, processes, rights and logon', async () => {
    const model = await example.addModel('HMEQ TF', 2);
    setChampion(example.sas.state, example.project, model);
    addProcess(example.sas.state, example.project);
    addProcess(example.sas.state, example.project);
    model.contents.splice(1, 1);
    expect(await examine()).toEqual([
      expect.stringContaining('has no content named model.zip'),
      expect.stringContaining('2 workflow processes run for project Home Equity'),
    ]);
    example.sas.forbidden = /workflow|modelPublish/;
    model.versionName = 'final';
    expect(await examine()).toEqual([expect.stringContaining('the version name "final"')]);
    example.sas.forbidden = /projects/;
    expect(await examine()).toEqual([expect.stringContaining('(403, SAS error 1177')]);
    example.sas.logon.good.clear();
    example.sas.logon.client.secret = 'another';
    expect(await examine()).toEqual([expect.stringContaining('Bad credentials')]);
  });
});
