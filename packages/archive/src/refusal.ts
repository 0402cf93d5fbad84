import { FairwayError } from '@fairway/core';

/** Names are shown escaped and cut: they come from a stranger and land in logs, on pages and in pull requests. */
export function shown(name: string): string {
  const quoted = visible(JSON.stringify(name));
  return quoted.length > 120 ? `${quoted.slice(0, 119)}…"` : quoted;
}

const visible = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);

/** Why an archive is not unpacked: `what` goes on from "model.zip" or "The entry … of model.zip", and says the mend. */
export function refusal(archive: string, what: string, entry?: string, cause?: unknown): FairwayError {
  const which = entry === undefined ? visible(archive) : `The entry ${shown(entry)} of ${visible(archive)}`;
  return new FairwayError('model.invalid', `${which} ${what}.`, {
    detail: { archive, ...(entry === undefined ? {} : { entry }) },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** What a library says about bytes that it cannot read. What the machine refused (a system call) stays what it is. */
export function damage(archive: string, error: unknown, entry?: string): unknown {
  if (error instanceof FairwayError || isSystem(error)) return error;
  const { message } = error as Error;
  return refusal(archive, `is damaged (${message.replace(/\.$/, '')}); transfer it again`, entry, error);
}

/** A full disk by its name; everything else stays what it is. */
export function spaceOr(archive: string, error: unknown): unknown {
  const code = isSystem(error) ? error.code : undefined;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new FairwayError(
    'disk.full',
    `There is no space left on the disk to unpack ${archive}: free some, or give more to the folder for temporary files.`,
    { cause: error },
  );
}

const isSystem = (error: unknown): error is NodeJS.ErrnoException => error instanceof Error && 'syscall' in error;
