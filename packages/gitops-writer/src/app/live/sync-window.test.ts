import { describe, expect, it } from 'vitest';
import type { Application, SyncWindow } from '../../ports.ts';
import { blockingWindow } from './sync-window.ts';

const application = {
  name: 'm-prod',
  project: 'fairway',
  destination: { server: 'https://kubernetes.default.svc', name: 'in-cluster', namespace: 'm-prod' },
} as Application;
const window: SyncWindow = {
  kind: 'deny',
  schedule: '0 22 * * *',
  duration: '8h',
  manualSync: false,
  applications: ['*'],
  namespaces: [],
  clusters: [],
  andOperator: false,
};
const allow: SyncWindow = { ...window, kind: 'allow' };
const NIGHT = Date.parse('2026-11-23T03:00:00Z');
const DAY = Date.parse('2026-11-23T12:00:00Z');
const blocks = (windows: SyncWindow[], now = NIGHT) => blockingWindow(application, windows, now) !== undefined;

describe('sync windows', () => {
  it.each<[string, SyncWindow[], number, boolean]>([
    ['none', [], NIGHT, false],
    ['an active deny', [window], NIGHT, true],
    ['an inactive deny', [window], DAY, false],
    ['an active allow', [allow], NIGHT, false],
    ['an inactive allow', [allow], DAY, true],
    ['one active allow of two', [allow, { ...allow, schedule: '0 11 * * *', duration: '2h' }], DAY, false],
    ['an active deny beside an active allow', [allow, window], NIGHT, true],
    ['an inactive deny beside an inactive allow', [window, allow], DAY, true],
    ['manual syncs being allowed does not help auto-sync', [{ ...window, manualSync: true }], NIGHT, true],
  ])('%s', (_, windows, now, blocked) => {
    expect(blocks(windows, now)).toBe(blocked);
  });
  it('are told in a sentence', () => {
    expect(blockingWindow(application, [window], NIGHT)).toContain('deny "0 22 * * *" for 8h');
    expect(blockingWindow(application, [allow], DAY)).toContain('outside the sync windows of project fairway');
  });

  const at = (change: Partial<SyncWindow>, time: string) => blocks([{ ...window, ...change }], Date.parse(time));
  it.each<[string, Partial<SyncWindow>, string, boolean]>([
    ['last until the duration is over', {}, '2026-11-23T05:59:59Z', true],
    ['end with it', {}, '2026-11-23T06:00:01Z', false],
    ['begin with the schedule', {}, '2026-11-23T22:00:01Z', true],
    ['know minutes and hours together', { duration: '1h30m' }, '2026-11-23T23:29:00Z', true],
    ['know weekdays', { schedule: '0 0 * * SAT', duration: '48h' }, '2026-11-22T12:00:00Z', true],
    ['know weekdays that are over', { schedule: '0 0 * * SAT', duration: '48h' }, '2026-11-23T12:00:00Z', false],
    ['take a question mark for a star', { schedule: '0 22 ? * ?' }, '2026-11-23T03:00:00Z', true],
    ['repeat from a number on', { schedule: '0 5/6 * * *', duration: '1h' }, '2026-11-23T11:30:00Z', true],
    ['on a day of the month or of the week', { schedule: '0 0 1 * 1', duration: '24h' }, '2026-11-23T12:00:00Z', true],
    ['are read in their time zone, winter', { timeZone: 'Europe/Berlin' }, '2026-11-23T21:30:00Z', true],
    ['are read in their time zone, summer', { timeZone: 'Europe/Berlin' }, '2026-07-23T20:30:00Z', true],
    ['are not yet open in summer by winter time', { timeZone: 'Europe/Berlin' }, '2026-07-23T19:30:00Z', false],
    ['in an unknown zone are read in UTC', { timeZone: 'Mars/Olympus' }, '2026-11-23T03:00:00Z', true],
    ['with a schedule of six fields count for nothing', { schedule: '0 0 22 * * *' }, '2026-11-23T03:00:00Z', false],
    ['with an unreadable schedule count for nothing', { schedule: 'at night' }, '2026-11-23T03:00:00Z', false],
    ['with an unreadable duration count for nothing', { duration: 'long' }, '2026-11-23T03:00:00Z', false],
  ])('%s', (_, change, time, blocked) => {
    expect(at(change, time)).toBe(blocked);
  });
  it('an allow window that cannot be read does not close the door', () => {
    expect(blocks([{ ...allow, schedule: 'at night' }], DAY)).toBe(false);
  });

  it.each<[string, Partial<SyncWindow>, boolean]>([
    ['another application', { applications: ['n-*'] }, false],
    ['a pattern of the name', { applications: ['x', 'm-{dev,prod}'] }, true],
    ['one character', { applications: ['m?prod'] }, true],
    ['a set of characters', { applications: ['[a-m]-prod'] }, true],
    ['dots that are dots', { applications: ['m.prod'] }, false],
    ['the namespace', { applications: [], namespaces: ['*-prod'] }, true],
    ['the cluster by server', { applications: [], clusters: ['https://kubernetes*'] }, true],
    ['the cluster by name', { applications: [], clusters: ['in-cluster'] }, true],
    ['any one of the lists', { applications: ['n'], namespaces: ['m-prod'] }, true],
    ['not all of them with andOperator', { applications: ['n'], namespaces: ['m-prod'], andOperator: true }, false],
    ['all of them with andOperator', { namespaces: ['m-prod'], andOperator: true }, true],
    ['nothing at all', { applications: [] }, false],
  ])('concern an Application by %s', (_, change, blocked) => {
    expect(blocks([{ ...window, ...change }])).toBe(blocked);
  });
});
