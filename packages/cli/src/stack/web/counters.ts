/** Counters and gauges for `/metrics`, written out in Prometheus' text format. */
export type Counters = {
  add(name: string, labels?: Readonly<Record<string, string | number>>): void;
  /** Text format 0.0.4; `gauges` are values of the moment. */
  expose(gauges?: Readonly<Record<string, number>>): { contentType: string; body: string };
};

export function counters(): Counters {
  const values = new Map<string, Map<string, number>>();
  return {
    add(name, labels = {}) {
      const series = values.get(name) ?? new Map<string, number>();
      const key = labelText(labels);
      values.set(name, series.set(key, (series.get(key) ?? 0) + 1));
    },
    expose(gauges = {}) {
      const lines: string[] = [];
      for (const [name, series] of values) {
        lines.push(`# TYPE ${name} counter`);
        for (const [labels, value] of series) lines.push(`${name}${labels} ${value}`);
      }
      for (const [name, value] of Object.entries(gauges)) lines.push(`# TYPE ${name} gauge`, `${name} ${value}`);
      return { contentType: 'text/plain; version=0.0.4; charset=utf-8', body: `${lines.join('\n')}\n` };
    },
  };
}

function labelText(labels: Readonly<Record<string, string | number>>): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(String(value))}`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}
