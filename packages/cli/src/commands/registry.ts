import type { Command } from 'commander';
import { approveCommand } from './approve.ts';
import { demoCommand } from './demo.ts';
import { doctorCommand } from './doctor.ts';
import { statusCommand } from './status.ts';
import { upCommand } from './up.ts';

/** Every command of the CLI: one file and one line here. */
export const commands: readonly (() => Command)[] = [
  demoCommand,
  upCommand,
  approveCommand,
  statusCommand,
  doctorCommand,
];
