import { readFileSync } from 'node:fs';
import { text as textOf } from 'node:stream/consumers';
import { Command, InvalidArgumentError, Option } from 'commander';
import { FairwayError } from '@fairway/core';
import { type Document, parseAllDocuments, stringify, type Tags } from 'yaml';
import { injectInto } from './inject-into.ts';

type Options = {
  filename: string[];
  serverVersion: number;
  agentImage: string;
  queueSecret: string;
  namespace?: string;
  output: 'yaml' | 'json';
};

/** `fairway inject`: what the admission webhook would make of manifests, without a cluster. */
export function injectCommand(): Command {
  return new Command('inject')
    .description('show what the injector makes of pods and pod templates, without a cluster; warnings go to stderr')
    .requiredOption('-f, --filename <file>', 'YAML or JSON, any number of documents; - is standard input', collect)
    .addOption(
      new Option('--server-version <version>', 'Kubernetes version of the cluster')
        .default(33, '1.33')
        .argParser(minorOf),
    )
    .option('--agent-image <image>', "image of the agent, as the injector's AGENT_IMAGE", 'fairway/agent')
    .option(
      '--queue-secret <name>',
      "Secret with the queue's url and prefix, as the injector's QUEUE_SECRET",
      'fairway-queue',
    )
    .option('-n, --namespace <name>', 'namespace of what names none')
    .addOption(new Option('-o, --output <format>', 'how it is printed').choices(['yaml', 'json']).default('yaml'))
    .action(run);
}

const collect = (file: string, before: string[] | undefined): string[] => [...(before ?? []), file];

/** The 33 of 1.33; the major version has been 1 ever since. */
function minorOf(version: string): number {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  if (major !== '1') throw new InvalidArgumentError('give it as 1.29.');
  return Number(minor);
}

async function run(options: Options): Promise<void> {
  const surroundings = {
    minor: options.serverVersion,
    sidecar: 'auto' as const,
    template: { image: options.agentImage, queueSecret: options.queueSecret },
  };
  const objects = (await Promise.all(options.filename.map(read))).flat();
  const results = objects.map((object) => injectInto(object, surroundings, options.namespace ?? 'default'));
  for (const { about, text } of results.flatMap(({ notes }) => notes)) console.error(`${about}: ${text}`);
  const made = results.map(({ object }) => object);
  process.stdout.write(options.output === 'yaml' ? made.map(toYaml).join('---\n') : toJson(made));
}

/** YAML as kubectl reads it, which is 1.1 (`0644` is octal, an unquoted `on` is true), but without its dates and its times. */
const DIALECT = {
  version: '1.1' as const,
  customTags: (tags: Tags) =>
    tags.filter((tag) => typeof tag === 'string' || (tag.format !== 'TIME' && !tag.tag.endsWith(':timestamp'))),
};

const toYaml = (value: unknown): string => stringify(value, { ...DIALECT, lineWidth: 0, aliasDuplicateObjects: false });

/** Several objects in one text, as kubectl prints and reads them. */
const toJson = (made: readonly unknown[]): string =>
  `${JSON.stringify(made.length === 1 ? made[0] : { apiVersion: 'v1', kind: 'List', items: made }, undefined, 2)}\n`;

async function read(file: string): Promise<unknown[]> {
  const [name, text] = file === '-' ? ['Standard input', await textOf(process.stdin)] : [file, readText(file)];
  const objects = parseAllDocuments(text, DIALECT)
    .map((document) => objectOf(document, name))
    .filter((object) => object !== null && object !== undefined);
  if (objects.length === 0) throw unusable(name, 'it is empty');
  return objects;
}

function objectOf(document: Document, name: string): unknown {
  const [error] = document.errors;
  if (error !== undefined)
    throw unusable(name, `it is no YAML (${error.message.split('\n')[0]?.replace(/[:.]$/, '')})`);
  try {
    return document.toJS();
  } catch (thrown) {
    // Aliases without an anchor, or more of them than any manifest needs.
    throw unusable(name, `it is no YAML (${(thrown as Error).message})`);
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw unusable(file, code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`);
  }
}

const unusable = (name: string, problem: string): FairwayError =>
  new FairwayError('input.invalid', `${name} cannot be used: ${problem}.`);
