import { BELOW_BIN, type Window } from '@fairway/core';
import type { ClientBase, Pool } from 'pg';
import { HIGHEST_SUM, SumTable } from '../metrics/sums.ts';
import type { WindowCounts } from '../ports.ts';

export type Bounds = Pick<Window, 'model' | 'version' | 'environment' | 'start' | 'end'>;

const KEY = 'model = $1 and version = $2 and environment = $3';

/** The largest packed rows that lie within the window, each hour in one of them. */
const PACKED = `
with packs as (
  select span, start, body from monitoring.packed_counts
  where ${KEY} and span = any('{hour,day,month}') and start >= $4 and start < $5 and until <= $5
)
select body, null as variable, null::int as bin, null::int as label, null::float8 as count from packs p
where not (p.span = 'hour' and date_trunc('day', p.start, 'UTC') in (select start from packs where span = 'day'))
  and not (p.span <> 'month' and date_trunc('month', p.start, 'UTC') in (select start from packs where span = 'month'))`;

type Kind = 'profile' | 'score';
const CELL: Readonly<Record<Kind, string>> = {
  profile: 'null as body, variable, bin, null::int as label, count::float8',
  score: 'null as body, null as variable, bin, label::int, count::float8',
};

/** Hour by hour through the primary key: what the planner thinks of the rest of the table does not matter. */
const unpacked = (kind: Kind): string => `
select body, variable, bin, label, count from monitoring.unpacked_counts u cross join lateral (
  select ${CELL[kind]} from monitoring.${kind}_counts where ${KEY} and hour = u.start offset 0
) c where u.model = $1 and u.version = $2 and u.environment = $3 and u.span = 'hour' and u.start >= $4 and u.start < $5`;

const ofHours = (kind: Kind): string =>
  `select ${CELL[kind]} from monitoring.${kind}_counts where ${KEY} and hour >= $4 and hour < $5`;

const FOLDED = [PACKED, unpacked('profile'), unpacked('score')].map((part) => `(${part})`).join('\nunion all\n');
/** As many packs may wait as come in half a minute, most of them with counts of the same cells. */
const WAITING = `
select null as body, variable, bin, null::int as label, sum(count)::float8 as count from monitoring.profile_deltas
where ${KEY} and hour >= $4 and hour < $5 group by variable, bin
union all
select null as body, null as variable, bin, label::int, sum(count)::float8 from monitoring.score_deltas
where ${KEY} and hour >= $4 and hour < $5 group by bin, label`;
const NOW = [FOLDED, WAITING].join('\nunion all\n');
const ROWS = (['profile', 'score'] as const).map(ofHours).join('\nunion all\n');

/** `now`: with what is appended and not folded yet. `folded`: without. `rows`: the same as `folded`, past every packed row. */
const STATEMENTS = { now: NOW, folded: FOLDED, rows: ROWS } as const;

type Part = {
  readonly body: string | null;
  readonly variable: string | null;
  readonly bin: number;
  readonly label: number | null;
  readonly count: number;
};

/** The counts of a window in one statement, so in one moment: whoever folds or packs meanwhile changes nothing of them. */
export async function windowCounts(
  database: Pool | ClientBase,
  { model, version, environment, start, end }: Bounds,
  of: keyof typeof STATEMENTS = 'now',
): Promise<WindowCounts> {
  const values = [model, version, environment, start, end];
  const { rows } = await database.query<Part>({ name: `window-counts-${of}`, text: STATEMENTS[of], values });
  const [only] = rows;
  if (rows.length === 1 && typeof only?.body === 'string') return JSON.parse(only.body) as WindowCounts;
  const sums = new Sums();
  for (const { body, variable, bin, label, count } of rows) {
    if (body !== null) sums.addWindow(JSON.parse(body) as WindowCounts);
    else if (variable !== null) sums.addBin(variable, bin, count);
    else sums.addScore(bin, label ?? -1, count);
  }
  return sums.counts();
}

type ScoreCells = [unlabelled: number, nonEvents: number, events: number];

/** Counts added up. */
class Sums {
  private readonly variables = new Map<string, Map<number, number>>();
  private readonly scores = new Map<number, ScoreCells>();
  private readonly table = new SumTable();

  addBin(variable: string, bin: number, count: number): void {
    let bins = this.variables.get(variable);
    if (bins === undefined) this.variables.set(variable, (bins = new Map()));
    bins.set(bin, (bins.get(bin) ?? 0) + count);
  }

  addScore(bin: number, label: number, count: number): void {
    if (label <= HIGHEST_SUM) return this.table.add([label, bin, count]);
    const column = label + 1;
    let cells = this.scores.get(bin);
    if (cells === undefined) this.scores.set(bin, (cells = [0, 0, 0]));
    cells[column] = (cells[column] ?? 0) + count;
  }

  addWindow({ variables, scores, sums = [] }: WindowCounts): void {
    for (const [variable, bins] of Object.entries(variables)) {
      for (const [bin, count] of bins) this.addBin(variable, bin, count);
    }
    for (const [bin, unlabelled, nonEvents, events] of scores) {
      this.addScore(bin, -1, unlabelled);
      this.addScore(bin, 0, nonEvents);
      this.addScore(bin, 1, events);
    }
    for (const cell of sums) this.table.add(cell);
  }

  /** Sorted, without what is 0; but {@link BELOW_BIN} says that values outside the baseline's range are counted, also by a 0. */
  counts(): WindowCounts {
    const variables = [...this.variables]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, bins]) => [name, byBin(bins).filter(([bin, count]) => count !== 0 || bin === BELOW_BIN)] as const)
      .filter(([, bins]) => bins.length > 0);
    const scores = byBin(this.scores)
      .map(([bin, [unlabelled, nonEvents, events]]) => [bin, unlabelled, nonEvents, events] as const)
      .filter(([, unlabelled, nonEvents, events]) => unlabelled + nonEvents + events !== 0);
    const sums = this.table.sums();
    return { variables: Object.fromEntries(variables), scores, ...(sums.length === 0 ? {} : { sums }) };
  }
}

const byBin = <T>(bins: ReadonlyMap<number, T>): Array<[number, T]> => [...bins].sort(([a], [b]) => a - b);
