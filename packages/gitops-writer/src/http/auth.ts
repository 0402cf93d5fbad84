import { createHash, timingSafeEqual } from 'node:crypto';
import { FairwayError } from '@fairway/core';
import type { RequestHandler } from 'express';

/** Lets requests with `Authorization: Bearer <token>` pass; every wrong token takes the same time. */
export function bearer(token: string): RequestHandler {
  const expected = digest(token);
  return (request, _response, next) => {
    const given = /^Bearer\s+(\S+)\s*$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (timingSafeEqual(digest(given), expected)) next();
    else next(new FairwayError('auth.refused', 'Send Authorization: Bearer with the writer token (WRITER_TOKEN).'));
  };
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
