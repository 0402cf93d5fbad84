import { rm } from 'node:fs/promises';
import { type Clock, FairwayError, type Part } from '@fairway/core';
import type { WriterEnv } from './config.ts';
import type { HookDoor } from './http/context.ts';
import { mlflowHooks } from './mlflow-hooks.ts';
import { mlflowAnswers } from './notify/mlflow/answers.ts';
import { sasAnswers } from './notify/sas/answers.ts';
import type { Answers, ModelSource, RegistryKind } from './ports.ts';
import { directorySource } from './sources/directory/source.ts';
import { parseAnswerTo } from './sources/mlflow/answer-to.ts';
import { openMlflow } from './sources/mlflow/open.ts';
import { mlflowSettings } from './sources/mlflow/settings.ts';
import { type Registries, registries } from './sources/registries.ts';
import { sasServer } from './sources/sas/client.ts';
import { sasSettings } from './sources/sas/settings.ts';
import { sasSource } from './sources/sas/source.ts';

/** A registry that is connected: where models come from, and, where it can be told anything, how. */
type Registry = {
  readonly source: ModelSource;
  readonly answers?: Answers;
  readonly close?: () => void;
};

export type ModelSources = {
  readonly source: ModelSource;
  readonly connected: readonly RegistryKind[];
  /** How who decided in a registry is told, by the scheme of `answerTo`. */
  readonly answers: Readonly<Partial<Record<string, Answers>>>;
  readonly mlflowHooks: HookDoor['mlflow'];
  readonly part: Part;
};

type Opener = (env: WriterEnv, scratch: string, clock: Clock) => Registry | undefined;

/** To add a registry: its folder below sources/ and one entry here. */
const OPENERS: Readonly<Record<RegistryKind, Opener>> = {
  directory: ({ MODEL_DIRECTORY: directory }) =>
    directory === undefined ? undefined : { source: directorySource(directory) },
  sas: openSas,
  mlflow: (env, scratch, clock) => {
    const settings = mlflowSettings(env);
    if (settings === undefined) return undefined;
    const { source, setTag, close } = openMlflow(settings, scratch, clock);
    return { source, answers: mlflowAnswers({ parse: parseAnswerTo, setTag }), close };
  },
};

function openSas(env: WriterEnv, scratch: string, clock: Clock): Registry | undefined {
  const settings = sasSettings(env);
  if (settings === undefined) return undefined;
  const server = sasServer({ ...settings, clock });
  const { message } = settings;
  return {
    source: sasSource({ server, scratch, clock }),
    answers: sasAnswers({ server, message }),
    close: () => server.close(),
  };
}

/** The registries that are set. Downloads and private copies go below `scratch`. Throws `config.invalid` when there is none. */
export function openSources(env: WriterEnv, scratch: string, clock: Clock): ModelSources {
  const opened = (Object.keys(OPENERS) as RegistryKind[]).flatMap((kind) => {
    const registry = OPENERS[kind](env, scratch, clock);
    return registry === undefined ? [] : [[kind, registry] as const];
  });
  if (opened.length === 0) {
    throw new FairwayError(
      'config.invalid',
      'This writer has no model registry: set MODEL_DIRECTORY, SAS_URL or MLFLOW_URL, one or several of them.',
    );
  }
  const known = Object.fromEntries(opened.map(([kind, { source }]) => [kind, source])) as Registries;
  return {
    source: registries(known),
    connected: opened.map(([kind]) => kind),
    answers: Object.fromEntries(
      opened.flatMap(([kind, { answers }]) => (answers === undefined ? [] : [[kind, answers]])),
    ),
    mlflowHooks: mlflowHooks(mlflowSettings(env)?.webhookSecrets ?? []),
    part: {
      name: 'model registries',
      // What a killed writer was about to unpack: DATA_DIR is this process's own.
      start: () => rm(scratch, { recursive: true, force: true }),
      stop: () => opened.forEach(([, { close }]) => close?.()),
    },
  };
}
