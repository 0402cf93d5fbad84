/**
 * What a pack adds to the counts of an hour, as one row with its cells in arrays, until it is folded: a row for each cell of scores
 * cost as much as the prediction itself, once when it was appended and once when it was taken away.
 *
 * `score_deltas` and `profile_deltas` show the cells; `all_score_counts` and `all_profile_counts` what is folded and what is not. They
 * were children of the tables of counts before, so a recorder or monitor of the version before cannot write or read them: it waits.
 */
export const appendedCounts = `
create table monitoring.appended_counts (
  hour timestamptz not null,
  cells integer not null,
  model text not null,
  version text not null,
  environment text not null,
  score_bins integer[] not null,
  score_labels smallint[] not null,
  score_counts bigint[] not null,
  variables text[] not null,
  variable_bins integer[] not null,
  variable_counts bigint[] not null
);
comment on table monitoring.appended_counts is 'Counts that packs and labels have added and that are not folded yet; element by element of the arrays';
comment on column monitoring.appended_counts.cells is 'Elements of score_bins and of variables';

insert into monitoring.appended_counts
select coalesce(s.hour, p.hour), coalesce(cardinality(s.bins), 0) + coalesce(cardinality(p.bins), 0), coalesce(s.model, p.model),
  coalesce(s.version, p.version), coalesce(s.environment, p.environment),
  coalesce(s.bins, '{}'), coalesce(s.labels, '{}'), coalesce(s.counts, '{}'),
  coalesce(p.variables, '{}'), coalesce(p.bins, '{}'), coalesce(p.counts, '{}')
from (
  select model, version, environment, hour, array_agg(bin) as bins, array_agg(label) as labels, array_agg(count) as counts
  from monitoring.score_deltas group by 1, 2, 3, 4
) s full join (
  select model, version, environment, hour, array_agg(variable) as variables, array_agg(bin) as bins, array_agg(count) as counts
  from monitoring.profile_deltas group by 1, 2, 3, 4
) p on p.model = s.model and p.version = s.version and p.environment = s.environment and p.hour = s.hour;
drop table monitoring.score_deltas, monitoring.profile_deltas;

create view monitoring.score_deltas as
select a.model, a.version, a.environment, a.hour, c.bin, c.label, c.count
from monitoring.appended_counts a cross join lateral unnest(a.score_bins, a.score_labels, a.score_counts) as c (bin, label, count);
create view monitoring.profile_deltas as
select a.model, a.version, a.environment, a.hour, c.variable, c.bin, c.count
from monitoring.appended_counts a cross join lateral unnest(a.variables, a.variable_bins, a.variable_counts) as c (variable, bin, count);

create view monitoring.all_score_counts as
select model, version, environment, hour, bin, label, count from monitoring.score_counts
union all select model, version, environment, hour, bin, label, count from monitoring.score_deltas;
create view monitoring.all_profile_counts as
select model, version, environment, hour, variable, bin, count from monitoring.profile_counts
union all select model, version, environment, hour, variable, bin, count from monitoring.profile_deltas;
`;
