import { FairwayError } from '@fairway/core';

/** Where a page of a list ended, opaque to the caller. */
export const toCursor = (place: string): string => Buffer.from(`1:${place}`).toString('base64url');

/** Throws `input.invalid` for anything that {@link toCursor} has not made. */
export function fromCursor(cursor: string): string {
  const place = /^1:(\d{1,18})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'))?.[1];
  if (place !== undefined && toCursor(place) === cursor) return place;
  throw new FairwayError(
    'input.invalid',
    'The query is not usable: cursor: is not one of this list; take "next" of the page before, as it is.',
  );
}
