import { clockSkewS, type KubeCaller, SKEW_TOLD_S, skewMend } from '@fairway/gitops-writer';
import { said } from './cluster.ts';
import { type Finding, missing, ok, warning } from './finding.ts';

const OLDEST = 20;
const NEWEST = 35;

/** What clusters before a version lack of what we use. Source: the API and feature gates of each release's notes. */
const LACKS: readonly { readonly before: number; readonly state: 'warning' | 'missing'; readonly what: string }[] = [
  {
    before: 21,
    state: 'missing',
    what: 'policy/v1 (1.21): leave component disruption-budgets and the budget of the injector out',
  },
  {
    before: 23,
    state: 'missing',
    what: 'autoscaling/v2 (1.23): leave component recorder-hpa out, and replicas a number in model.yaml',
  },
  {
    before: 25,
    state: 'warning',
    what: 'Pod Security admission (1.25): the label restricted of the namespace is not enforced',
  },
  {
    before: 26,
    state: 'missing',
    what: 'unhealthyPodEvictionPolicy (1.26): leave component disruption-budgets and the budget of the injector out, or take that field out of them in your overlay',
  },
  {
    before: 27,
    state: 'warning',
    what: 'autoscaling by one container (1.27, ContainerResource): leave autoscaling out of model.yaml, and replicas a number',
  },
  {
    before: 29,
    state: 'missing',
    what: 'native sidecars (1.29): a pod with the agent as one would wait for ever; set capture.agent: injector in model.yaml, and let the injector bring it as a plain container',
  },
];

/** What a version of Kubernetes means for us: `minor` as `/version` says it, such as `29` or `27+`. */
export function versionFindings(gitVersion: string, minor: string): Finding[] {
  const name = 'Kubernetes';
  const number = Number.parseInt(minor, 10);
  if (!Number.isInteger(number))
    return [warning(name, `says no version that can be read (${JSON.stringify(gitVersion)})`)];
  if (number < OLDEST)
    return [
      missing(name, `${gitVersion} is older than 1.${OLDEST}, the oldest that Fairway works with: upgrade the cluster`),
    ];
  const lacks = LACKS.filter(({ before }) => number < before).map(
    ({ state, what }): Finding => ({ name, state, text: `${gitVersion} lacks ${what}` }),
  );
  if (number > NEWEST)
    return [
      warning(
        name,
        `${gitVersion} is newer than 1.${NEWEST}, the newest that was looked at: read its notes on removed APIs`,
      ),
    ];
  return lacks.length > 0 ? lacks : [ok(name, gitVersion)];
}

const SKEW_MISSING_S = 60;

/** `date` has whole seconds; `before` and `after` are ms since 1970, taken around the request. */
export function clockFinding(date: string | undefined, before: number, after: number): Finding {
  const name = 'clock';
  const seconds = clockSkewS(date, before, after);
  if (seconds === undefined)
    return warning(name, 'the API server does not say its time, so that clocks cannot be compared');
  if (seconds < SKEW_TOLD_S) return ok(name, `the API server's clock and this one are ${seconds} s apart`);
  return seconds < SKEW_MISSING_S ? warning(name, skewMend(seconds)) : missing(name, skewMend(seconds));
}

/** Is the API there, does it know us, how old is it, and what time does it have? Throws `cluster.unavailable` when it is not there. */
export async function serverFindings(caller: KubeCaller, now: () => number): Promise<Finding[]> {
  const before = now();
  const { status, body, date } = await caller.call('/version');
  const after = now();
  const name = 'API';
  if (status === 401)
    return [
      missing(
        name,
        `${caller.server} does not know these credentials (401): log in again, or choose another --context`,
      ),
    ];
  if (status !== 200)
    return [missing(name, `${caller.server} answers ${status} for its version: ${said(status, body)}`)];
  const { gitVersion = '', minor = '' } = (body ?? {}) as { gitVersion?: string; minor?: string };
  return [
    ok(name, `${caller.server} answers`),
    ...versionFindings(gitVersion, minor),
    clockFinding(date, before, after),
  ];
}
