import { z } from 'zod';
import { type Route, route } from '../route.ts';

const report = z.strictObject({
  restored: z.int(),
  skipped: z.array(z.strictObject({ branch: z.string(), reason: z.string() })),
});

export const rebuilding: readonly Route[] = [
  route({
    method: 'post',
    path: '/v1/rebuild',
    operation: 'rebuild',
    summary: 'Brings back from Git and the forge what a lost database held; twice is once',
    role: 'admin',
    answers: {
      200: { about: 'How many changes are back, and which branches are not, with the reason', schema: report },
    },
    handle: async ({ caller }, { rebuild: bringBack, log }) => {
      log.info({ credential: caller.name }, 'a rebuild was asked for');
      return { status: 200, body: await bringBack() };
    },
  }),
];
