/**
 * Hours of before 0013 whose predictions came before their version was known: only missing values are counted there, which would
 * pass for a drift of every input, and no score. They are those with more predictions than any input has counts. What is marked
 * without need (an input was redacted in every row) is counted again and found right.
 */
export const hoursOfBefore = `
insert into monitoring.uncounted_hours (model, version, environment, hour)
select model, version, environment, hour from (
  select model, version, environment, hour, sum(count) as predictions from monitoring.all_score_counts
  where label >= -1 and version <> '' group by 1, 2, 3, 4
) stored left join (
  select model, version, environment, hour, max(counted) as counted from (
    select model, version, environment, hour, variable, sum(count) as counted from monitoring.all_profile_counts
    where bin >= -2 and variable not like '$%' group by 1, 2, 3, 4, 5
  ) each group by 1, 2, 3, 4
) inputs using (model, version, environment, hour)
where coalesce(counted, 0) < predictions
on conflict do nothing;
`;
