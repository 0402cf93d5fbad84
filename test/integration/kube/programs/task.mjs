// A tiny task: writes what it was given to RESULT, then ends with EXIT_CODE.
import { writeFileSync } from 'node:fs';

const { RESULT = '', EXIT_CODE = '0', SAY = 'done' } = process.env;
console.log(SAY);
if (RESULT !== '') writeFileSync(RESULT, JSON.stringify({ env: process.env, argv: process.argv.slice(2) }));
process.exitCode = Number(EXIT_CODE);
process.disconnect?.();
