import { FairwayError } from '@fairway/core';
import { Router } from 'express';
import type { EvidenceStore } from '../ports/evidence.ts';

/** `GET /v1/verdicts/:id/evidence`: a verdict's bytes with all that they were made from. */
export function verdictsRoute(store: EvidenceStore): Router {
  const router = Router();
  router.get('/verdicts/:id/evidence', async (request, response) => {
    const id = request.params.id.slice(0, 70);
    const found = await store.evidence(id);
    if (found === undefined) {
      throw new FairwayError(
        'model.unknown',
        `No verdict has the id ${id}; fairway windows --json lists those that there are, as GET /v1/windows does.`,
      );
    }
    if ('kept' in found) {
      throw new FairwayError(
        'model.unknown',
        `Verdict ${id} was made before evidence was kept, so it cannot be made again; judging its window anew keeps it.`,
      );
    }
    response.json(found);
  });
  return router;
}
