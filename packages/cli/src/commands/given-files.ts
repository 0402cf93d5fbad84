import { accessSync, constants, statSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { FairwayError } from '@fairway/core';

/** The text of a file that a person named. Throws `input.invalid`, in a sentence, where there is none. */
export function readGiven(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw wrong(`There is no file ${file}; check its path.`);
    if (code === 'EISDIR') throw wrong(`${file} is a folder, and no file.`);
    if (code === 'EACCES' || code === 'EPERM') throw wrong(`${file} may not be read by this user.`);
    throw error;
  }
}

/** A file that a command is to write, by the option that named it. */
export type Output = readonly [option: string, file: string];

/**
 * Refuses what could not be written, before any work is done for it: a folder, a folder that is not there, a file of another user,
 * one of `inputs` or another output (writing it would destroy it). `-` is standard output.
 */
export function checkOutputs(outputs: readonly Output[], inputs: readonly string[] = []): void {
  const taken = new Map(inputs.map((file) => [placeOf(file), 'it is read by the same command']));
  for (const [option, file] of outputs) {
    if (file === '-') continue;
    const place = placeOf(file);
    const why = taken.get(place) ?? hindrance(file);
    if (why !== undefined) throw wrong(`${option} ${file} cannot be written: ${why}.`);
    taken.set(place, `it is what ${option} names too`);
  }
}

/** Writes what {@link checkOutputs} has allowed; the disk may have changed since. */
export function writeGiven([option, file]: Output, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC') throw error;
    throw wrong(`${option} ${file} cannot be written: ${hindrance(file) ?? code}.`);
  }
}

function hindrance(file: string): string | undefined {
  const folder = dirname(file);
  try {
    const found = statSync(file, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) return 'it is a folder';
    if (statSync(folder, { throwIfNoEntry: false }) === undefined) return `there is no folder ${folder}`;
    accessSync(found === undefined ? folder : file, constants.W_OK);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR') return `${folder} is no folder`;
    return code === 'EROFS' ? 'the disk is read-only' : `this user may not write there (${code})`;
  }
}

/** The same for all spellings of a path. */
function placeOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    try {
      return join(realpathSync(dirname(file)), basename(file));
    } catch {
      return file;
    }
  }
}

const wrong = (sentence: string): FairwayError => new FairwayError('input.invalid', sentence);
