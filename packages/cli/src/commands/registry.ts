import type { Command } from 'commander';
import { approveCommand } from './approve.ts';
import { auditCommand } from './audit.ts';
import { demoCommand } from './demo.ts';
import { doctorCommand } from './doctor.ts';
import { quarantineCommand } from './quarantine.ts';
import { rebuildCommand } from './rebuild.ts';
import { retireCommand } from './retire.ts';
import { rollbackCommand } from './rollback.ts';
import { statusCommand } from './status.ts';
import { upCommand } from './up.ts';

/** Every command of the CLI: one file and one line here. */
export const commands: readonly (() => Command)[] = [
  demoCommand,
  upCommand,
  approveCommand,
  rollbackCommand,
  quarantineCommand,
  retireCommand,
  statusCommand,
  auditCommand,
  rebuildCommand,
  doctorCommand,
];
