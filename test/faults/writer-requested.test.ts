import { test } from 'vitest';
import { shortRound } from './writer/short-round.ts';
import { REQUESTED } from './writer/stories.ts';

test.each(REQUESTED)(
  'killed at boundaries of $name, the writer leaves exactly one of everything',
  { timeout: 400_000 },
  shortRound,
);
