import { expect, it } from 'vitest';
import { counters } from './counters.ts';
import { jsonLogger } from './log.ts';

it('logs one JSON object a line from the wanted level on, without secrets', () => {
  const lines: string[] = [];
  const log = jsonLogger((line) => lines.push(line), 'info', { service: 'x' }).child({ part: 'y' });
  log.debug({}, 'not shown');
  log.warn({ url: 'https://flow.example/invoke?sig=abc' }, 'failed');
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 40,
    service: 'x',
    part: 'y',
    msg: 'failed',
    url: 'https://flow.example/invoke?[redacted]',
  });
});

it('counts by label and writes Prometheus text', () => {
  const count = counters();
  count.add('a_total', { status: 200 });
  count.add('a_total', { status: 200 });
  count.add('a_total', { status: 404 });
  expect(count.expose({ b: 1 }).body).toBe(
    '# TYPE a_total counter\na_total{status="200"} 2\na_total{status="404"} 1\n# TYPE b gauge\nb 1\n',
  );
});
