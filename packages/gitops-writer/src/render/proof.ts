import { type Approval, changeId, type RetrainRequest } from '@fairway/core';
import type { OpeningRequest } from '../change.ts';
import { z } from 'zod';
import { chainIntent, readWholeChain, type WholeChain } from './chain.ts';
import { approvalTrailer } from './deploy.ts';
import type { HashedFile } from './intent.ts';
import { readModelVersion } from './model-version.ts';
import { chartFile, environmentFolder, retrainFolder } from './paths.ts';
import { requestTrailer, retrainIntent } from './retrain.ts';
import { type Trailers, trailerValue } from './trailers.ts';

/** A file as Git holds it: path from the root, mode (`100644` is a plain file), content. */
export type FolderFile = { readonly path: string; readonly mode: string; readonly bytes: Uint8Array };

/** What a folder proves by itself, recomputed from its bytes. */
export type Proven =
  | ({ readonly kind: 'deploy' } & WholeChain)
  | {
      readonly kind: 'retrain';
      readonly change: string;
      readonly model: string;
      readonly version: string;
      readonly environment: string;
      readonly request: RetrainRequest;
      readonly opened?: OpeningRequest;
      readonly intent: string;
    };

/** `problems` says in sentences what does not agree; only without any is `proven` to be believed. */
export type Proof = { readonly proven?: Proven; readonly problems: readonly string[] };

const DIGEST = /^sha256:[0-9a-f]{64}$/;
const PINNED = /@sha256:[0-9a-f]{64}$/;

/** Whether the files of an environment's folder are, byte for byte, what an approval was given for. */
export function proveEnvironment(model: string, environment: string, files: readonly FolderFile[]): Proof {
  const folder = environmentFolder(model, environment);
  const problems = irregular(files);
  const text = textOf(files, `${folder}/version.yaml`);
  const chain = text === undefined ? undefined : readWholeChain(text);
  if (chain === undefined) {
    const why = text === undefined ? 'is missing or not UTF-8' : 'is not as Fairway writes it';
    return { problems: [...problems, `${folder}/version.yaml ${why}.`] };
  }
  problems.push(...chainProblems(chain, model, environment));
  const others = hashed(files.filter(({ path }) => path !== `${folder}/version.yaml`));
  if (chainIntent(chain, others) !== chain.intent) {
    problems.push('The intent hash does not fit the files: they are not those that were approved.');
  }
  problems.push(...modelProblems(chain, textOf(files, `${folder}/modelversion.json`)));
  problems.push(...imageProblems(chain, textOf(files, `${folder}/deployment.yaml`)));
  return { proven: { kind: 'deploy', ...chain }, problems };
}

/** Whether the files of a retrain folder are, byte for byte, what was asked for. */
export function proveRetrain(model: string, change: string, files: readonly FolderFile[]): Proof {
  const folder = retrainFolder(model, change);
  const problems = irregular(files);
  const asked = readRequest((name) => textOf(files, `${folder}/${name}`));
  if (asked === undefined) return { problems: [...problems, `${folder} does not hold the request that led to it.`] };
  const { request, opened } = asked;
  const { version, environment } = request;
  const { dedupeKey: event, ...first } = opened ?? request;
  const id = changeId({
    kind: 'retrain',
    model,
    digest: '',
    event,
    version: first.version,
    environment: first.environment,
  });
  if (request.model !== model) problems.push(`The request is about model ${request.model}, the folder about ${model}.`);
  if (id !== change) problems.push(`The request leads to change ${id}, the folder is that of change ${change}.`);
  problems.push(...looseImages(imagesIn(textOf(files, `${folder}/job.yaml`) ?? '')));
  // What was hashed is told by the commit alone; `trailerProblems` compares the two.
  const intent = retrainIntent(change, request, hashed(files));
  const proven = { kind: 'retrain' as const, change, model, version, environment, ...asked, intent };
  return { proven, problems };
}

/** What the trailers of the commit say otherwise than the folder. */
export function trailerProblems(proven: Proven, trailers: Trailers): string[] {
  const wanted = { Change: proven.change, ...trailersOf(proven), Intent: proven.intent };
  return Object.entries(wanted).flatMap(([name, value]) => {
    const said = trailers.get(name);
    if (said === trailerValue(value)) return [];
    if (said === undefined) return [`The trailer Fairway-${name} is missing.`];
    return [
      `The trailer Fairway-${name} says ${JSON.stringify(said)}, the files say ${JSON.stringify(trailerValue(value))}.`,
    ];
  });
}

function trailersOf(proven: Proven): Record<string, string> {
  const { model, version, environment } = proven;
  const common = { Model: model, Version: version, Environment: environment };
  if (proven.kind === 'deploy') {
    return { ...common, Digest: proven.digest, Approval: approvalTrailer(proven.approval) };
  }
  const { request } = proven;
  return { ...common, Request: requestTrailer(request), Snapshot: `sha256:${request.snapshot.sha256}` };
}

function chainProblems(
  { change, digest, approval, ...chain }: WholeChain,
  model: string,
  environment: string,
): string[] {
  const { version } = chain;
  const id = changeId({ kind: 'deploy', model, version, digest, environment, event: approval.eventId });
  const problems: string[] = [];
  if (id !== change) problems.push(`The approval leads to change ${id}, version.yaml says ${change}.`);
  if (chain.model !== model || chain.environment !== environment)
    problems.push(
      `version.yaml is about ${chain.model} in ${chain.environment}, the folder about ${model} in ${environment}.`,
    );
  if (!isFor(approval, { model, version, environment }))
    problems.push(
      `The approval is for ${approval.model} ${approval.version} in ${approval.environment}, not for what the folder holds.`,
    );
  if (!DIGEST.test(digest)) problems.push(`The digest ${JSON.stringify(digest)} is none.`);
  return problems;
}

type Target = { readonly model: string; readonly version: string; readonly environment: string };

const isFor = (approval: Approval, { model, version, environment }: Target): boolean =>
  approval.model === model && approval.version === version && approval.environment === environment;

function modelProblems({ model, version, digest }: WholeChain, text: string | undefined): string[] {
  const found = readModelVersion(text ?? '');
  if (found === undefined) return ['modelversion.json is missing or not as Fairway writes it.'];
  if (found.model === model && found.version === version && found.digest === digest) return [];
  return [
    `modelversion.json is about ${found.model} ${found.version} with digest ${found.digest}, not what was approved.`,
  ];
}

/** Whatever the Deployment runs must be pinned, and the approved image must be among it. */
function imageProblems({ image }: WholeChain, text: string | undefined): string[] {
  const images = imagesIn(text ?? '');
  const problems = looseImages([image, ...images]);
  if (!images.includes(image)) problems.push('The Deployment does not run the image that was approved.');
  return problems;
}

const looseImages = (images: readonly string[]): string[] =>
  [...new Set(images)]
    .filter((name) => !PINNED.test(name))
    .map((name) => `The image ${JSON.stringify(name)} is not pinned by digest.`);

/** Every `image:` in a manifest, in block and flow style. By text: a parser takes half of an audit of thousands of commits. */
const imagesIn = (text: string): string[] => [...text.matchAll(IMAGE)].map(([, name = '']) => name);
const IMAGE = /(?:^|[\s{,])["']?image["']?\s*:\s*["']?([^\s"',}]+)/gm;

const requestSchema = z.looseObject({
  kind: z.literal('retrain'),
  model: z.string(),
  version: z.string(),
  environment: z.string(),
  dedupeKey: z.string(),
  actor: z.string(),
  windows: z.array(z.unknown()),
  moved: z.array(z.unknown()).optional(),
  charts: z.array(z.strictObject({ name: z.string(), title: z.string() })).optional(),
  opened: z.strictObject({ version: z.string(), environment: z.string(), dedupeKey: z.string() }).optional(),
});
const snapshotSchema = z.looseObject({ sha256: z.string() });
const verdictSchema = z.looseObject({ window: z.looseObject({ period: z.string() }), state: z.string() });

/** The request, from the three files that hold it, and its charts. */
type Asked = { readonly request: RetrainRequest; readonly opened?: OpeningRequest };

function readRequest(text: (name: string) => string | undefined): Asked | undefined {
  try {
    const read = (name: string): unknown => JSON.parse(text(name) ?? '');
    const { opened, charts, ...request } = requestSchema.parse(read('request.json'));
    const drawn = charts?.map((chart) => ({ ...chart, svg: text(chartFile(chart.name)) }));
    const snapshot = snapshotSchema.parse(read('snapshot.json'));
    const verdict = verdictSchema.parse(read('verdict.json'));
    if (drawn?.some(({ svg }) => svg === undefined) === true) return undefined;
    const whole = {
      ...request,
      snapshot,
      verdict,
      ...(drawn === undefined ? {} : { charts: drawn }),
    } as unknown as RetrainRequest;
    return { request: whole, ...(opened === undefined ? {} : { opened }) };
  } catch {
    return undefined;
  }
}

function irregular(files: readonly FolderFile[]): string[] {
  return files
    .filter(({ mode }) => mode !== '100644')
    .map(({ path, mode }) => `${path} is not a plain file (mode ${mode}).`);
}

export const hashed = (files: readonly FolderFile[]): HashedFile[] =>
  files.map(({ path, bytes }) => ({ path, text: bytes }));

/** A byte order mark stays: dropped, it would be a byte that nobody sees. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function textOf(files: readonly FolderFile[], path: string): string | undefined {
  const file = files.find((candidate) => candidate.path === path);
  if (file === undefined) return undefined;
  try {
    return utf8.decode(file.bytes);
  } catch {
    return undefined;
  }
}
