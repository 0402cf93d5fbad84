import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { FairwayError } from '@fairway/core';
import { compareWithRegistration, inspectSavedModel, type Mismatch, type SavedModelReport } from '@fairway/savedmodel';
import { readExpected } from './inspect-against.ts';
import { reportText } from './inspect-text.ts';

type Options = { against?: string; json: boolean };

/** What was compared with, and how it differs. */
export type Against = { readonly files: readonly string[]; readonly mismatches: readonly Mismatch[] };

const UNFIT = 1;

/** `fairway inspect`: what is inside a SavedModel, told without TensorFlow and without executing anything of it. */
export function inspectCommand(): Command {
  return new Command('inspect')
    .description(
      'tell what is inside a SavedModel and whether TensorFlow Serving can serve it; nothing of it is executed',
    )
    .argument('<path>', 'folder of a SavedModel, or a zip, tar or tar.gz with one inside')
    .option(
      '--against <path>',
      'compare with what a registry says of it: a folder with inputVar.json, outputVar.json, ModelProperties.json or MLmodel, or one such file',
    )
    .option('--json', 'print the report as JSON', false)
    .addHelpText(
      'after',
      '\nExit codes: 0 it can be served, and fits · 1 it cannot, or cannot be read; the last line says why',
    )
    .action(run);
}

async function run(path: string, { against, json }: Options): Promise<void> {
  const expected = against === undefined ? undefined : await readExpected(resolve(against));
  const report = await inspected(resolve(path));
  const compared: Against | undefined = expected && {
    files: expected.files,
    mismatches: compareWithRegistration(report, expected.expected),
  };
  if (json)
    console.log(JSON.stringify(compared === undefined ? report : { ...report, against: compared }, undefined, 2));
  else console.log(reportText(path, report, compared));
  if (report.problems.length > 0 || (compared?.mismatches.length ?? 0) > 0) process.exitCode = UNFIT;
}

async function inspected(path: string): Promise<SavedModelReport> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR')
      throw new FairwayError('input.invalid', `There is no ${path}; name a folder or an archive of a SavedModel.`);
    throw error;
  });
  if (found.isFile()) return inspectArchive(path);
  const inside = await nestedModels(path);
  if (inside.length > 0)
    throw new FairwayError(
      'model.invalid',
      `There is no saved_model.pb in ${path}, but in ${inside.join(', ')} below it; name that folder.`,
    );
  return inspectSavedModel(path);
}

async function inspectArchive(file: string): Promise<SavedModelReport> {
  // Only archives need the code that unpacks them.
  const { unpackModel } = await import('@fairway/archive');
  const scratch = await mkdtemp(join(tmpdir(), 'fairway-inspect-'));
  try {
    const unpacked = await unpackModel(file, scratch);
    try {
      return await inspectSavedModel(unpacked.folder);
    } finally {
      await unpacked.dispose();
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Folders with a SavedModel right below one that has none: its parent was named, as for TensorFlow Serving. */
async function nestedModels(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true });
  if (entries.some(({ name }) => name === 'saved_model.pb')) return [];
  const folders = entries.filter((entry) => entry.isDirectory()).slice(0, 100);
  const has = await Promise.all(
    folders.map(({ name }) =>
      stat(join(path, name, 'saved_model.pb')).then(
        () => true,
        () => false,
      ),
    ),
  );
  return folders.filter((_, i) => has[i]).map(({ name }) => name);
}
