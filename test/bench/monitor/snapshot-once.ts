import { readFileSync } from 'node:fs';
import { type ModelVersion, systemClock } from '@fairway/core';
import { Pool } from 'pg';
import { snapshotFiles } from '../../../packages/monitor/src/snapshot/files.ts';
import { readSnapshot } from '../../../packages/monitor/src/store/database.ts';

/** One snapshot in a process of its own, so that its memory can be told: `URL DIRECTORY BOUNDS MODEL_VERSION`, the last two JSON. */
const [url = '', directory = '', bounds = '', version = ''] = process.argv.slice(2);
const pool = new Pool({ connectionString: url });
const files = snapshotFiles(readSnapshot(pool), directory, systemClock);
const began = performance.now();
const { rows, sha256 } = await files.take(JSON.parse(bounds), JSON.parse(version) as ModelVersion);
const ms = performance.now() - began;
await pool.end();
const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0);
process.stdout.write(JSON.stringify({ ms, rows, sha256, mb: Math.round(peak / 1024) }));
