/**
 * `npm run bench -- NAME --json FILE`: measures what an issue promised, and prints each part as it ends. Exit 0 even where a bar is
 * missed: the file says so.
 */
import { commandLine, refuse } from '../harness/command-line.ts';
import { CAPTURE } from './capture.ts';
import { INJECTOR } from './injector.ts';
import { intake } from './intake.ts';
import { loop } from './loop.ts';
import { MONITOR } from './monitor.ts';
import { print, type Result, write } from './result.ts';
import { TAIL } from './tail.ts';
import { writer } from './writer.ts';

const PARTS: Readonly<Record<string, () => Promise<Result[]>>> = {
  ...CAPTURE,
  ...INJECTOR,
  intake,
  loop,
  ...MONITOR,
  ...TAIL,
  writer,
};

/** A part by its name, or all of `NAME-…`. */
const partsOf = (name: string): string[] =>
  Object.keys(PARTS).filter((part) => part === name || part.startsWith(`${name}-`));

const NAMES = [...new Set(Object.keys(PARTS).flatMap((part) => [part.split('-')[0], part]))].join(', ');
const USAGE = `npm run bench -- NAME [--json FILE]

  NAME           one of ${NAMES}
  --json FILE    what was measured, as JSON`;
const { positionals, values } = commandLine(USAGE, { json: { type: 'string' } });
const name = positionals[0] ?? '';
const chosen = partsOf(name);
if (chosen.length === 0) refuse(USAGE, `There is no benchmark ${JSON.stringify(name)}.`);
const results: Result[] = [];
for (const part of chosen) {
  const ended = (await PARTS[part]?.()) ?? [];
  print(ended);
  results.push(...ended);
}
if (values.json !== undefined) write(name, results, values.json);
