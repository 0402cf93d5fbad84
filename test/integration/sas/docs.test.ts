import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readEnv } from '@fairway/core';
import { describe, expect, it } from 'vitest';
import { evidenceOf } from '../../../packages/gitops-writer/src/notify/sas/evidence.ts';
import { hooks } from '../../../packages/gitops-writer/src/http/routes/hooks.ts';
import type { Answer } from '../../../packages/gitops-writer/src/ports.ts';
import { SIGNATURE_HEADERS, signRequest } from '../../../packages/gitops-writer/src/signature.ts';
import { SAS_ENV } from '../../../packages/gitops-writer/src/sources/sas/settings.ts';
import { type Element, everyElement, parseXml } from '../../harness/sas/xml.ts';

const read = (name: string) => readFileSync(new URL(`../../../docs/sas/${name}`, import.meta.url), 'utf8');

/** What the writer's door makes of a hook; throws where it would refuse it. */
function taken(body: string): unknown {
  const schema = hooks.find(({ path }) => path === '/v1/hooks/sas')?.body?.schema;
  if (schema === undefined || schema === 'raw') throw new Error('there is no such door');
  return schema.parse(JSON.parse(body));
}

describe('the workflow definition', () => {
  const text = read('fairway-approval.bpmn');
  const root = parseXml(text);
  const all = everyElement(root);
  const named = (name: string) => all.filter((element) => element.name === name);
  const ids = new Map(
    all.flatMap((element) => (element.attributes['id'] ? [[element.attributes['id'], element]] : [])),
  );
  const flows = named('sequenceFlow').map(({ attributes, children }) => ({
    id: attributes['id'] ?? '',
    from: attributes['sourceRef'] ?? '',
    to: attributes['targetRef'] ?? '',
    condition: children.find(({ name }) => name === 'conditionExpression')?.text.trim(),
  }));
  const NODES = ['startEvent', 'endEvent', 'userTask', 'serviceTask', 'exclusiveGateway', 'intermediateCatchEvent'];
  const nodes = all.filter(({ name }) => NODES.includes(name));
  const idOf = ({ attributes }: Element) => attributes['id'] ?? '';
  const field = (task: Element, name: string) =>
    everyElement(task).find(({ attributes }) => attributes['name'] === name)?.children[0]?.text;
  const task = (name: string) => named('serviceTask').find(({ attributes }) => attributes['name'] === name) ?? root;
  const data = new Map(
    named('dataObject').map((element) => [
      element.attributes['name'] ?? '',
      everyElement(element).find(({ name }) => name === 'flowable:value')?.text,
    ]),
  );

  it('has each id once, and nothing refers to what is not there', () => {
    expect(ids.size).toBe(all.filter(({ attributes }) => attributes['id'] !== undefined).length);
    const references = all.flatMap(({ attributes }) =>
      Object.entries(attributes).filter(
        ([name]) => /Ref$|^default$|^bpmnElement$/.test(name) && name !== 'itemSubjectRef',
      ),
    );
    expect(references.length).toBeGreaterThan(80);
    expect(references.filter(([, id]) => !ids.has(id))).toEqual([]);
  });

  it('gives every gateway a default, and a condition on each other branch', () => {
    const gateways = named('exclusiveGateway');
    expect(gateways.length).toBe(7);
    for (const gateway of gateways) {
      const out = flows.filter(({ from }) => from === idOf(gateway));
      expect(out.length, gateway.attributes['name']).toBeGreaterThan(1);
      for (const { id, condition } of out) {
        if (id === gateway.attributes['default']) expect(condition).toBeUndefined();
        else expect(condition).toMatch(/^\$\{\w+ == ("[\w-]+"|\d+)\}$/);
      }
      expect(out.map(({ id }) => id)).toContain(gateway.attributes['default']);
    }
    const others = nodes.filter(({ name }) => !['exclusiveGateway', 'endEvent'].includes(name)).map(idOf);
    expect(others.filter((id) => flows.filter(({ from }) => from === id).length !== 1)).toEqual([]);
  });

  it('leads from the start to every node, and from every node to an end', () => {
    const reach = (from: readonly string[], step: (id: string) => string[]): Set<string> => {
      const seen = new Set(from);
      for (const id of seen) for (const next of step(id)) seen.add(next);
      return seen;
    };
    const forward = reach(named('startEvent').map(idOf), (id) =>
      flows.filter(({ from }) => from === id).map(({ to }) => to),
    );
    const back = reach(named('endEvent').map(idOf), (id) =>
      flows.filter(({ to }) => to === id).map(({ from }) => from),
    );
    expect([forward, back].map((seen) => nodes.filter((node) => !seen.has(idOf(node))))).toEqual([[], []]);
    expect(
      nodes.filter(
        (node) => !named('bpmndi:BPMNShape').some(({ attributes }) => attributes['bpmnElement'] === idOf(node)),
      ),
    ).toEqual([]);
  });

  it('uses what it declares, and declares what Fairway sends', () => {
    const own = ['_SAS_ResponseStatusCode', 'responseBody', 'restTask', 'jsonPathListener', 'jsonParticipantListener'];
    const used = [...text.matchAll(/\$\{(\w+)/g)].map(([, name = '']) => name);
    expect(used.filter((name) => !data.has(name) && !own.includes(name))).toEqual([]);
    const { fairwayAt: _at, ...sent } = evidenceOf({} as Answer);
    expect([...Object.keys(sent), 'fairwayEvent'].filter((name) => !data.has(name))).toEqual([]);
    const [message] = named('message');
    expect(message?.attributes['name']).toBe(readEnv({}, SAS_ENV).SAS_MESSAGE);
  });

  it('tells Fairway, and takes its refusals to a person', () => {
    const direct = task('Tell Fairway directly');
    expect(field(direct, 'statusCodes')?.split(',')).toContain('202');
    const filled = (template = '') => template.replaceAll(/\$\{(\w+)\}/g, (_all, name: string) => `of-${name}`);
    expect(taken(filled(field(direct, 'body')))).toEqual({
      type: 'approval',
      projectId: 'of-modelProjectId',
      modelId: 'of-championModelId',
      modelVersionName: 'of-championVersionName',
      decision: 'of-decision',
    });
    expect(JSON.parse(filled(field(direct, 'headers')))).toMatchObject({ Authorization: 'of-fairwayAuthorization' });
    expect(filled(field(direct, 'url'))).toBe('of-fairwayUrl/v1/hooks/sas');
    const parameters = new URL(filled(field(task('Tell Fairway by signed job'), 'url')), 'https://viya.example.com')
      .searchParams;
    expect([...parameters.keys()]).toEqual(['_program', 'projectId', 'modelId', 'modelVersionName', 'decision']);
    for (const name of parameters.keys())
      if (name !== '_program') expect(read('fairway-hook.sas')).toMatch(new RegExp(`%global.*\\b${name}\\b`));
    for (const one of named('serviceTask')) expect(one.attributes['flowable:delegateExpression']).toBe('${restTask}');
  });

  it('holds no secret, and no timer', () => {
    expect(data.get('fairwayAuthorization')).toBe('');
    expect(data.get('fairwayChannel')).toBe('job');
    expect(text).not.toMatch(/bearer\s|basic\s|password|secret\s*[=:]/i);
    expect(all.filter(({ name }) => /timer/i.test(name))).toEqual([]);
  });
});

describe('the job that signs', () => {
  const code = read('fairway-hook.sas');
  const readme = read('README.md');
  const row = (name: string) => new RegExp(`^\\| ${name} \\| (.*) \\|$`, 'm').exec(readme)?.[1] ?? '';
  const word = (name: string) => /^`(.*)`$/.exec(row(name))?.[1] ?? '';
  const body = word('body');
  const signature = /`x-fairway-signature: (v1=[0-9a-f]{64})`/.exec(readme)?.[1];

  it('is documented by an example that Fairway would believe', () => {
    const request = {
      method: 'POST',
      target: '/v1/hooks/sas',
      timestamp: word('`x-fairway-timestamp`'),
      nonce: word('`x-fairway-nonce`'),
      body: Buffer.from(body),
    };
    expect(row('method, target')).toBe('`POST`, `/v1/hooks/sas`');
    expect(request.timestamp).toMatch(/^\d{10}$/);
    expect(request.nonce).toMatch(/^\w{16,64}$/);
    expect(taken(body)).toMatchObject({ decision: 'approve', modelVersionName: '2.1' });
    expect(readme).toContain(`sha256 is \`${createHash('sha256').update(body).digest('hex')}\``);
    expect(signature).toBe(signRequest(word('secret'), request));
  });

  it('sends the body of that example, and signs it as the example says', () => {
    const pieces = /body = cats\(([\s\S]*?)\);/.exec(code)?.[1] ?? '';
    const values = JSON.parse(body) as Record<string, string>;
    const built = pieces
      .split(/,\s*(?=['a-z])(?=(?:[^']*'[^']*')*[^']*$)/i)
      .map((piece) => (piece.trim().startsWith("'") ? piece.trim().slice(1, -1) : (values[piece.trim()] ?? '?')))
      .join('');
    expect(built).toBe(body);
    expect(code).toContain(`message   = catx('0A'x, 'POST', "&target.", put(timestamp, 10.), nonce, hash);`);
    expect(code).toContain("hash      = lowcase(hashing('sha256', trim(body)));");
    expect(code).toContain("lowcase(hashing_hmac('sha256', trim(secret), trim(message)))");
    expect(code).toContain("call symputx('signature', cats('v1=', hmac), 'L');");
    expect(code).toContain('%let target = /v1/hooks/sas;');
    for (const header of Object.values(SIGNATURE_HEADERS)) expect(code).toContain(`"${header}"`);
  });

  it('keeps the secret out of macro variables, the log and the file itself', () => {
    expect(code).toMatch(/%let fairway_secret = \/\S+;/);
    expect(code).not.toMatch(/symputx?\('[^']*secret/i);
    expect(code).toMatch(/options [^;]*nosource[^;]*nosymbolgen/);
  });
});
