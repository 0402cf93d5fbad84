import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { checkName, iso } from '@fairway/core';
import type { Champion } from '../../ports.ts';
import { asSourceError, isVersion, type Marks, versionsIn } from './folder.ts';

/** What the file says: a version, nothing, or something that is not usable, in a sentence. */
export type Said = { readonly version: string; readonly at: string } | { readonly problem: string } | undefined;

/** File `<MODEL_DIRECTORY>/<model>/champion`: a version number in one line, put there by rename. */
export async function championFile(directory: string, model: string): Promise<Said> {
  const known = await versionsIn(directory, checkName('Model', model));
  const file = join(directory, model, 'champion');
  try {
    const text = (await readFile(file, 'utf8')).trim();
    if (!isVersion(text)) {
      const shown = JSON.stringify(text.slice(0, 40));
      return { problem: `The file ${model}/champion says ${shown}; write the number of a version into it, one line.` };
    }
    if (known.includes(text)) return { version: text, at: iso((await stat(file)).mtimeMs) };
    const there = known.length === 0 ? 'none' : known.join(', ');
    return {
      problem: `The file ${model}/champion names version ${text}, which is not registered (there is: ${there}).`,
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw asSourceError(error, directory);
  }
}

/** The version in the file, when there is a usable one. */
export async function championOf(directory: string, model: string, mark: Marks): Promise<Champion | undefined> {
  const said = await championFile(directory, model);
  if (said === undefined || 'problem' in said) return undefined;
  const { version, at } = said;
  try {
    const fingerprint = `${version}.${(await mark(join(directory, model, version))).replace(/^\w+:/, '')}`;
    return { version, fingerprint, at, names: { model, version } };
  } catch (error) {
    throw asSourceError(error, directory);
  }
}
