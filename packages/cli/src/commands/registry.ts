import type { Command } from 'commander';

/** Every command of the CLI: one file and one line here. Only the one that is asked for is loaded: each costs start-up time. */
export const commands: Readonly<Record<string, () => Promise<() => Command>>> = {
  demo: async () => (await import('./demo.ts')).demoCommand,
  up: async () => (await import('./up.ts')).upCommand,
  inspect: async () => (await import('./inspect.ts')).inspectCommand,
  image: async () => (await import('./image.ts')).imageCommand,
  approve: async () => (await import('./approve.ts')).approveCommand,
  rollback: async () => (await import('./rollback.ts')).rollbackCommand,
  quarantine: async () => (await import('./quarantine.ts')).quarantineCommand,
  retire: async () => (await import('./retire.ts')).retireCommand,
  account: async () => (await import('./account.ts')).accountCommand,
  status: async () => (await import('./status.ts')).statusCommand,
  notifications: async () => (await import('./notifications.ts')).notificationsCommand,
  audit: async () => (await import('./audit.ts')).auditCommand,
  rebuild: async () => (await import('./rebuild.ts')).rebuildCommand,
  analyze: async () => (await import('./analyze.ts')).analyzeCommand,
  windows: async () => (await import('./windows.ts')).windowsCommand,
  profiles: async () => (await import('./profiles.ts')).profilesCommand,
  judge: async () => (await import('./judge.ts')).judgeCommand,
  policy: async () => (await import('./policy.ts')).policyCommand,
  sas: async () => (await import('./sas.ts')).sasCommand,
  baseline: async () => (await import('./baseline.ts')).baselineCommand,
  gate: async () => (await import('./gate.ts')).gateCommand,
  import: async () => (await import('./import.ts')).importCommand,
  inject: async () => (await import('./inject.ts')).injectCommand,
  doctor: async () => (await import('./doctor.ts')).doctorCommand,
};
