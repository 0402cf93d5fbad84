/** Unpacks an archive, says so and waits to be killed. */
import { unpack } from '@fairway/archive';

const [file = '', scratch = ''] = process.argv.slice(2);
await unpack(file, scratch);
process.send?.('unpacked');
setInterval(() => {}, 1000);
