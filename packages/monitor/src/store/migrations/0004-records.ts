/**
 * The queryable view of a prediction holds tags where JSON has no word (docs/contracts.md, "Records"), and a failed call is
 * a row of its own: its bytes are in `exchanges`, and no count of any window knows it.
 */
export const records = `
create function monitoring.value_text(cells json, name text) returns text language sql immutable parallel safe as $$
  select case
    when json_typeof(cell) is distinct from 'object' then cell #>> '{}'
    when cell->>'$' in ('truncated', 'too_deep') then null
    else coalesce(cell->>'value', cell->>'$')
  end
  from (select cells->(case when name like '$%' then '$' || name else name end) as cell) c
$$;
comment on function monitoring.value_text is 'Text of an input or output, tags read; null where it is absent, null, or not in the view';

create or replace function monitoring.input_cell(inputs json, name text) returns text language sql immutable parallel safe as $$
  select case when cell in ('', '.', 'NA', 'NaN', 'nan') then null else cell end
  from (select btrim(monitoring.value_text(inputs, name), E' \\t\\r\\n') as cell) c
$$;

create view monitoring.failures as
select day, id, model, version, environment, time, status, outcome, reason, latency_ms, correlation_id, response as error_body
from monitoring.exchanges
where outcome <> 'complete' or status <> 200;
comment on view monitoring.failures is 'Calls without an answer or with an error: one row each, in no count of predictions';
`;
