// A tiny task: writes what it was given to RESULT and LAST_WORD to LOG, then ends with EXIT_CODE, once WAIT_FOR is there.
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const { RESULT = '', EXIT_CODE = '0', SAY = 'done', LOG = '', LAST_WORD = '', WAIT_FOR = '' } = process.env;
process.on('disconnect', () => process.exit(1));
console.log(SAY);
if (RESULT !== '') writeFileSync(RESULT, JSON.stringify({ env: process.env, argv: process.argv.slice(2) }));
const mayGo = () => WAIT_FOR === '' || existsSync(WAIT_FOR);
while (!mayGo()) await pause(20);
if (LOG !== '') writeFileSync(LOG, LAST_WORD);
process.exitCode = Number(EXIT_CODE);
process.removeAllListeners('disconnect');
process.disconnect?.();
