// npm run lockfile: completes package-lock.json after dependencies changed.
// A registry mirror may lack the optional packages of other platforms. npm then leaves them out of the lock file, and `npm ci` refuses
// a lock file without them. This adds what the lock file itself names: version, system and processor; nothing is fetched.
import { readFileSync, writeFileSync } from 'node:fs';

const SYSTEMS = [
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'aix',
  'win32',
  'windows',
  'wasm32-wasi',
  'wasm32',
];
const PROCESSORS = ['arm64', 'x64', 'ia32', 'arm', 'ppc64', 's390x', 'riscv64', 'loong64', 'mips64el'];

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
let added = 0;
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    if (path === '' || entry.inBundle || found(path, name)) continue;
    const { system, processor } = platformOf(name);
    if (system === undefined) {
      console.log(`${name} is missing and its name tells no platform: install it by hand.`);
      process.exitCode = 1;
      continue;
    }
    lock.packages[`node_modules/${name}`] = {
      version: range.replace(/^[\^~]/, ''),
      ...(processor === undefined ? {} : { cpu: [processor] }),
      ...(entry.dev ? { dev: true } : {}),
      optional: true,
      os: [system],
    };
    added++;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync('package-lock.json', `${JSON.stringify(lock, undefined, 2)}\n`);
console.log(`${added} packages of other platforms added to package-lock.json`);

function found(path, name) {
  return (
    lock.packages[`${path}/node_modules/${name}`] !== undefined || lock.packages[`node_modules/${name}`] !== undefined
  );
}

function platformOf(name) {
  const words = name.replace(/^@[^/]+\//, '');
  const system = SYSTEMS.find((word) => words.includes(word));
  const processor = PROCESSORS.find((word) => new RegExp(`(^|[-_])${word}([-_]|$|eabi|-gnueabihf)`).test(words));
  return { system: system === 'windows' ? 'win32' : system?.startsWith('wasm32') ? 'wasi' : system, processor };
}
