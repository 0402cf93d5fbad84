// A tiny server: tells who it is and what it was given; `/slow` keeps a connection open; stops on SIGTERM and when its parent is gone.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

const { BIND = '127.0.0.1', PORT = '8501', READY_AFTER_MS = '0', STOP_AFTER_MS = '0', NOTE = '' } = process.env;
const startedAt = Date.now();
console.log(`started ${process.pid}`);
if (NOTE !== '' && !existsSync(NOTE)) writeFileSync(NOTE, String(process.pid));

const server = createServer((request, response) => {
  if (request.url === '/ready')
    return response.writeHead(Date.now() - startedAt >= Number(READY_AFTER_MS) ? 200 : 503).end();
  if (request.url === '/slow') return void setTimeout(() => response.end('slow'), 1000);
  if (request.url === '/exit') return process.exit(7);
  const note = NOTE !== '' && existsSync(NOTE) ? readFileSync(NOTE, 'utf8') : '';
  return response.end(
    JSON.stringify({ pid: process.pid, env: process.env, argv: process.argv.slice(2), cwd: process.cwd(), note }),
  );
});
server.listen(Number(PORT), BIND);
const stop = () => {
  console.log(`stopping ${Date.now()}`);
  setTimeout(() => {
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  }, Number(STOP_AFTER_MS));
};
process.on('SIGTERM', stop);
process.on('disconnect', () => process.exit(0));
