/** Unpacks an archive, tells by how many bytes the process grew at its largest, and waits to be killed. */
import { readFileSync } from 'node:fs';
import { unpack } from '@fairway/archive';

const [file = '', scratch = ''] = process.argv.slice(2);
const before = process.memoryUsage.rss();
await unpack(file, scratch, { limits: { ratio: 2000 } });
// proc(5): the largest the process was. getrusage counts the parent's as well, from before the exec.
const largest = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;
process.send?.({ grown: largest - before });
setInterval(() => {}, 1000);
