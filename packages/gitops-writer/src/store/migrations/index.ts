import { sql as changes } from './0001-changes.ts';
import { sql as claims } from './0002-claims.ts';
import { sql as replays } from './0003-replays.ts';
import { sql as outboxChannels } from './0004-outbox-channels.ts';
import { sql as champions } from './0005-champions.ts';
import { sql as golden } from './0006-golden.ts';
import { sql as forgeCalls } from './0007-forge-calls.ts';

/** Forward only, in order; each must be safe while the version before it still runs. */
export const MIGRATIONS: ReadonlyArray<{ readonly number: number; readonly name: string; readonly sql: string }> = [
  { number: 1, name: 'changes', sql: changes },
  { number: 2, name: 'claims', sql: claims },
  { number: 3, name: 'replays', sql: replays },
  { number: 4, name: 'outbox-channels', sql: outboxChannels },
  { number: 5, name: 'champions', sql: champions },
  { number: 6, name: 'golden', sql: golden },
  { number: 7, name: 'forge-calls', sql: forgeCalls },
];
