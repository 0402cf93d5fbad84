import { randomUUID } from 'node:crypto';

/** HAND-MADE after SAS's documentation and the recorded answers: no SAS has run here. What it does not know, it does not do. */
export type Dialect = '3.5' | '2023.10';

export type FakeContent = { readonly id: string; readonly name: string; bytes: Buffer; modifiedAt: number };
export type FakeFrozen = {
  readonly id: string;
  readonly versionName: string;
  readonly frozenAt: number;
  readonly contents: readonly FakeContent[];
};
export type FakeModel = {
  readonly id: string;
  readonly name: string;
  readonly projectId: string;
  versionName: string | undefined;
  readonly createdAt: number;
  modifiedAt: number;
  /** Counts changes: what the ETag is made of. */
  revision: number;
  /** Fields beyond those above, as a GET shows them; `properties` among them. */
  fields: Record<string, unknown>;
  readonly contents: FakeContent[];
  readonly frozen: FakeFrozen[];
};
export type FakeProject = {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  fields: Record<string, unknown>;
  champion: string | undefined;
  championSince: number | undefined;
};
export type FakeProcess = {
  readonly id: string;
  readonly projectId: string;
  state: string;
  /** Name of the message event that is active. */
  waitsFor: string | undefined;
  readonly received: Array<{ readonly name: string; readonly variables: Readonly<Record<string, unknown>> }>;
};
/** `states`: what each look sees, the last one for ever. */
export type FakePublish = {
  readonly id: string;
  readonly modelId: string;
  readonly states: string[];
  modifiedAt: number;
};

export type FakeState = {
  readonly projects: FakeProject[];
  readonly models: FakeModel[];
  readonly processes: FakeProcess[];
  readonly publishes: FakePublish[];
  /** Each change takes a moment of its own. */
  readonly tick: () => number;
};

export function fakeState(): FakeState {
  let now = Date.parse('2026-03-01T08:00:00Z');
  return { projects: [], models: [], processes: [], publishes: [], tick: () => (now += 1_700) };
}

export function addProject(state: FakeState, name: string, fields: Record<string, unknown> = {}): FakeProject {
  const project = { id: randomUUID(), name, createdAt: state.tick(), fields };
  const added: FakeProject = { ...project, champion: undefined, championSince: undefined };
  state.projects.push(added);
  return added;
}

export function addModel(
  state: FakeState,
  project: FakeProject,
  name: string,
  fields: Record<string, unknown> = {},
): FakeModel {
  const at = state.tick();
  const model: FakeModel = {
    id: randomUUID(),
    name,
    projectId: project.id,
    versionName: '1.0',
    createdAt: at,
    modifiedAt: at,
    revision: 1,
    fields,
    contents: [],
    frozen: [],
  };
  state.models.push(model);
  return model;
}

export function addContent(state: FakeState, model: FakeModel, name: string, bytes: Buffer | string): FakeContent {
  const content = { id: randomUUID(), name, bytes: Buffer.from(bytes), modifiedAt: state.tick() };
  model.contents.push(content);
  touch(state, model);
  return content;
}

/** In place: the id stays. */
export function replaceContent(state: FakeState, model: FakeModel, name: string, bytes: Buffer | string): void {
  const content = model.contents.find((one) => one.name === name);
  if (content === undefined) throw new Error(`${model.name} has no ${name}`);
  content.bytes = Buffer.from(bytes);
  content.modifiedAt = state.tick();
  touch(state, model);
}

export function touch(state: FakeState, model: FakeModel): void {
  model.modifiedAt = state.tick();
  model.revision += 1;
}

/** What POST modelVersions does: the old version is frozen, and the model goes on under the next name. */
export function freeze(state: FakeState, model: FakeModel, option: 'major' | 'minor'): FakeFrozen {
  const versionName = model.versionName ?? '1.0';
  const contents = model.contents.map((content) => ({ ...content }));
  const frozen = { id: randomUUID(), versionName, frozenAt: state.tick(), contents };
  model.frozen.push(frozen);
  const [major = 1, minor = 0] = versionName.split('.').map(Number);
  model.versionName = option === 'major' ? `${major + 1}.0` : `${major}.${minor + 1}`;
  touch(state, model);
  return frozen;
}

export function setChampion(state: FakeState, project: FakeProject, model: FakeModel | undefined): void {
  project.champion = model?.id;
  project.championSince = state.tick();
}

export function addProcess(state: FakeState, project: FakeProject, waitsFor?: string): FakeProcess {
  const process: FakeProcess = {
    id: `WF${randomUUID()}`,
    projectId: project.id,
    state: 'In Progress',
    waitsFor,
    received: [],
  };
  state.processes.push(process);
  return process;
}

export function addPublish(state: FakeState, model: FakeModel, states: readonly string[]): FakePublish {
  const publish = { id: randomUUID(), modelId: model.id, states: [...states], modifiedAt: state.tick() };
  state.publishes.push(publish);
  return publish;
}
