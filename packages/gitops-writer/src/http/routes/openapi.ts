import { z } from 'zod';
import { openApiDocument } from '../document.ts';
import { type Route, route } from '../route.ts';

/** The document of `others` and of itself. */
export function openapi(others: readonly Route[]): Route {
  const document = (): object => openApiDocument([...others, self]);
  const self = route({
    method: 'get',
    path: '/v1/openapi.json',
    operation: 'readOpenApi',
    summary: 'This document',
    role: 'public',
    answers: { 200: { about: 'OpenAPI 3.1', schema: z.looseObject({ openapi: z.literal('3.1.0') }) } },
    handle: () => Promise.resolve({ status: 200, body: document() }),
  });
  return self;
}
