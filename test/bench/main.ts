/** `npm run bench -- NAME --json FILE`: measures what an issue promised. Exit 0 even where a bar is missed: the file says so. */
import { parseArgs } from 'node:util';
import { capture } from './capture.ts';
import { intake } from './intake.ts';
import { loop } from './loop.ts';
import { monitor } from './monitor.ts';
import { publish, type Result } from './result.ts';
import { writer } from './writer.ts';

const BENCHMARKS: Readonly<Record<string, () => Promise<Result[]>>> = { capture, intake, loop, monitor, writer };

const { positionals, values } = parseArgs({ allowPositionals: true, options: { json: { type: 'string' } } });
const name = positionals[0] ?? '';
const benchmark = BENCHMARKS[name];
if (benchmark === undefined) {
  console.error(`There is no benchmark ${JSON.stringify(name)}: use one of ${Object.keys(BENCHMARKS).join(', ')}.`);
  process.exitCode = 2;
} else {
  publish(name, await benchmark(), values.json);
}
