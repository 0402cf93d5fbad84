#!/usr/bin/env node
// Plain JavaScript that any Node can read: it checks the machine, then runs the TypeScript sources.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundle } from './bundle.js';

const WANTED = [20, 19];
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < WANTED[0] || (major === WANTED[0] && minor < WANTED[1])) {
  console.error(`fairway: Node ${process.versions.node} is too old: install Node ${WANTED.join('.')} or newer.`);
  process.exit(1);
}

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const bundled = await bundle(main, fileURLToPath(new URL('../../../.cache/cli', import.meta.url)));
if (bundled === undefined) runSources();
else await import(pathToFileURL(bundled).href);

function runSources() {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const child = spawn(
    process.execPath,
    ['--conditions=source', '--import', tsx, main, ...process.argv.slice(2)],
    // The IPC channel tells the child when this process is gone.
    { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] },
  );
  // A terminal sends Ctrl-C to both; a plain kill reaches only us. The child treats the second one as the same request.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`fairway: could not start Node again: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}
