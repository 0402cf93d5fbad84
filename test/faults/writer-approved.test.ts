import { test } from 'vitest';
import { shortRound } from './writer/short-round.ts';
import { APPROVED } from './writer/stories.ts';

test.each(APPROVED)(
  'killed at boundaries of $name, the writer leaves exactly one of everything',
  { timeout: 400_000 },
  shortRound,
);
