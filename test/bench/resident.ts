import { readFileSync } from 'node:fs';

/** What a service may hold in memory under load, MB; requests and limits in the manifests follow from what is measured against it. */
export const RESIDENT_MB = { writer: 200, monitor: 250, agent: 90, injector: 110, tail: 115, smoke: 60 } as const;

const ofStatus = (pid: number, field: 'VmRSS' | 'VmHWM'): number => {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1] ?? Number.NaN) / 1024;
};

/** The resident set of a process now, MB. */
export const residentMb = (pid: number): number => ofStatus(pid, 'VmRSS');

/** Its largest resident set so far, MB, the start included. */
export const peakMb = (pid: number): number => Math.round(ofStatus(pid, 'VmHWM'));
