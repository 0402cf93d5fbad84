import { describe, expect, it } from 'vitest';
import { environmentOf, parseModelFile, servingOf } from './model-file.ts';

const good = `apiVersion: fairway.dev/v1
kind: Model
name: m
owner: team@example.com
source: { registry: directory }
environments:
  - { name: dev, namespace: m-dev, merge: auto }
`;
const named = (name: string) => good.replace('{ name: dev', `{ name: ${name}`);
const problem = (text: string) => {
  try {
    parseModelFile('m', text);
  } catch (error) {
    return (error as Error).message;
  }
  return 'no problem';
};

describe('model.yaml', () => {
  it('fills in what may be left out', () => {
    expect(parseModelFile('m', good)).toEqual({
      name: 'm',
      owner: 'team@example.com',
      source: { registry: 'directory' },
      capture: { agent: 'sidecar', trustEventTime: false },
      serving: {
        dev: {
          replicas: 1,
          autoscaling: undefined,
          loadSeconds: undefined,
          timeoutSeconds: 30,
          resources: { cpu: '100m', memory: '256Mi', memoryLimit: '2Gi' },
          batching: undefined,
          gpu: undefined,
          grpc: false,
          metrics: undefined,
          networkPolicy: true,
          door: undefined,
          canary: undefined,
        },
      },
      rollback: { maxAgeMs: 90 * 86_400_000, auto: true },
      environments: [{ name: 'dev', namespace: 'm-dev', merge: 'auto', application: 'm-dev' }],
    });
  });

  it('takes the settings of the agent within its limits', () => {
    const capture = { sampling: 0.25, redact: { ssn: 'drop', zip: 'truncate:3' }, bodyBytes: 65_536 };
    expect(parseModelFile('m', `${good}capture: ${JSON.stringify(capture)}\n`)).toMatchObject({ capture });
    const wrong = { sampling: 1.5, redact: { ssn: 'truncate:0' }, bodyBytes: 1 };
    expect(problem(`${good}capture: ${JSON.stringify(wrong)}\n`)).toMatch(
      /capture\.sampling: .*capture\.redact\.ssn: must be drop, hash or truncate:N .*capture\.bodyBytes: /,
    );
  });

  it('serves an environment as it says, else as all are served', () => {
    const text = good
      .replace('merge: auto }', 'merge: auto, serving: { autoscaling: { max: 5 }, route: { host: a.example.com } } }')
      .concat('serving: { replicas: 3, timeout: 1m, grpc: true, ingress: { host: b.example.com, tlsSecret: t } }\n');
    expect(servingOf(parseModelFile('m', text), 'dev')).toMatchObject({
      autoscaling: { min: 2, max: 5, cpu: 70 },
      timeoutSeconds: 60,
      grpc: true,
      door: { kind: 'route', host: 'a.example.com' },
    });
  });

  it.each([
    ['replicas: 2, autoscaling: { max: 3 }', "serving has replicas and autoscaling, which would take each other's"],
    ['autoscaling: { min: 4, max: 3 }', 'serving.autoscaling has min 4 above max 3'],
    ['autoscaling: { max: 1 }', 'serving.autoscaling has min 2 (its default) above max 1'],
    [
      'route: {}, ingress: { host: a.example.com, tlsSecret: t }',
      'serving has route and ingress; one of them is the way in',
    ],
    ['gpu: { count: 1 }', 'serving.gpu.image: '],
    ['gpu: { image: "tensorflow/serving:latest-gpu" }', 'serving.gpu.image: must be pinned by digest'],
    ['canary: { weight: 10 }', 'environments[0].serving.canary needs a route or gateway that divides the requests'],
    ['canary: { weight: 100 }, route: {}', 'serving.canary.weight'],
    ['canary: { weight: 5 }, route: {}, autoscaling: { max: 3 }', 'serving.canary cannot be used with autoscaling'],
    ['resources: { memory: 4Gi }', 'environments[0].serving.resources asks for memory 4Gi, which is above memoryLimit'],
    ['resources: { memory: 1G }', 'serving.resources.memory: must be an amount such as 512Mi or 2Gi'],
    ['ingress: { host: a.example.com }', 'serving.ingress.tlsSecret'],
    ['route: { host: "a b" }', 'serving.route.host: must be a host name such as scores.example.com'],
    ['timeout: 30', 'serving.timeout'],
    ['timeout: 61m', 'serving.timeout: must be 1h at most'],
    ['load: 25h', 'serving.load: must be 24h at most'],
    ['hpa: { max: 3 }', 'serving has unknown key "hpa"'],
  ])('refuses serving %s in a sentence', (serving, sentence) => {
    expect(problem(`${good}serving: { ${serving} }\n`)).toContain(sentence);
  });

  it.each([
    [
      'capture: { tail: { claim: c, stateClaim: s, files: ../x, time: t, score: p } }',
      'capture.tail.files: must be one',
    ],
    [
      'capture: { tail: { claim: c, stateClaim: s, files: x.csv, time: t, score: p, label: y } }',
      'capture.tail needs label and recorder together',
    ],
    [
      'capture: { tail: { claim: c, stateClaim: s, files: x.csv, time: t, score: p, label: y, recorder: "http://u:p@h" } }',
      'capture.tail.recorder: must be an http(s) address without user or password',
    ],
    [
      `retrain: { image: "a@sha256:${'7'.repeat(64)}", gateMargin: 0, gateZ: 1.96, resources: { memory: 3Gi } }`,
      'retrain.resources asks for memory 3Gi, which is above memoryLimit 2Gi',
    ],
    [
      `retrain: { image: "a@sha256:${'7'.repeat(64)}", gateMargin: 0, deadline: 31d }`,
      'retrain.deadline: must be 30d at most',
    ],
  ])('refuses %s in a sentence', (lines, sentence) => {
    expect(problem(`${good}${lines}\n`)).toContain(sentence);
  });

  it('does not promote what gets a part of the requests', () => {
    const canary = 'merge: auto, promote: { after: 1h }, serving: { route: {}, canary: { weight: 10 } }';
    expect(problem(good.replace('merge: auto', canary))).toContain('serving.canary cannot be used with promote');
  });

  it('reads durations, reviewers and how to go back', () => {
    const text = good
      .replace('merge: auto', "merge: auto, promote: { after: 2s }, reviewers: [alice, 'team:risk']")
      .concat('rollback: { maxAge: 36h, auto: false }\n');
    expect(parseModelFile('m', text)).toMatchObject({
      rollback: { maxAgeMs: 36 * 3_600_000, auto: false },
      environments: [{ name: 'dev', promoteAfterMs: 2_000, reviewers: ['alice', 'team:risk'] }],
    });
  });

  it('is a model still when its last environment has been retired', () => {
    const text = good.replace(/environments:[^]*/, 'environments: []\n');
    expect(() => environmentOf(parseModelFile('m', text), 'dev')).toThrow('has: none any more.');
  });

  it.each([
    ['an unknown key', `${good}colour: red\n`, 'models/m/model.yaml is not usable: unknown key "colour".'],
    [
      'an unknown key within',
      good.replace('merge: auto', 'merge: auto, foo: 1'),
      'environments[0] has unknown key "foo"',
    ],
    ['a duplicate key', `${good}owner: b\n`, 'Map keys must be unique'],
    [
      'an anchor',
      good.replace('owner: team@example.com', 'owner: &a x\nkind2: *a'),
      'anchors and aliases are not allowed',
    ],
    ['another folder', good.replace('name: m\n', 'name: n\n'), 'name is "n" but the folder is "m"'],
    ['another namespace', good.replace('m-dev', 'x'), 'environment dev must use namespace m-dev'],
    ['a mutable image', `${good}retrain: { image: trainer:latest, gateMargin: 0.01 }\n`, 'must be pinned by digest'],
    ['a wrong merge rule', good.replace('auto', 'never'), 'environments[0].merge'],
    ['a bad name', good.replaceAll(/\bdev\b(?=[,-])|(?<=m-)dev/g, 'De_v'), 'Environment "De_v" is not usable'],
    ['an anchor that nobody uses', good.replace('name: m', 'name: &n m'), 'anchors and aliases are not allowed'],
    ['a merge key', `${good}<<: { owner: x }\n`, 'merge keys (<<) are not allowed'],
    ['a tag', good.replace('team@example.com', '!!str x'), 'tags are not allowed, and it has !!str'],
    ['two documents', `${good}---\na: 1\n`, 'more than one YAML document'],
    ['a span without a unit', good.replace('merge: auto', 'merge: auto, promote: { after: 24 }'), 'promote.after'],
    ['a span of nothing', `${good}rollback: { maxAge: 0d }\n`, 'rollback.maxAge: must be a duration such as 24h'],
    ['two lines of owner', good.replace('team@example.com', '"a\\nb"'), 'owner: must be one line'],
    ['two lines of reviewer', good.replace('auto', 'auto, reviewers: ["a\\nb"]'), 'reviewers[0]: must be one line'],
    ['a name of 300 letters', named('d'.repeat(300)), `"${'d'.repeat(70)}…" is not usable`],
    ['a name in other letters', named('dév'), 'Environment "dév" is not usable'],
    ['a path for a name', named('../x'), 'Environment "../x" is not usable'],
    ['an option for a name', named('-x'), 'Environment "-x" is not usable'],
    ['a name of two lines', good.replace('name: dev', 'name: "a\\nb"'), 'Environment "a\\nb" is not usable'],
    ['no YAML', 'a: [', 'models/m/model.yaml is not usable'],
    ['nothing', '', 'models/m/model.yaml is not usable'],
  ])('refuses %s in a sentence', (_, text, sentence) => {
    expect(problem(text)).toContain(sentence);
    expect(problem(text)).toMatch(/\.$/);
  });

  it('names the known environments', () => {
    expect(() => environmentOf(parseModelFile('m', good), 'prod')).toThrow(
      'has no environment "prod"; models/m/model.yaml has: dev.',
    );
  });
});
