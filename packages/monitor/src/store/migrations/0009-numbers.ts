/**
 * Labels that are numbers. `truth` is the label as it was given; `label` stays the class (-1: none yet), which for a number says
 * only whether there is one.
 */
export const numbers = `
alter table monitoring.early_labels drop constraint if exists early_labels_label_check, alter label type double precision;
alter table monitoring.label_history alter old_label type double precision, alter label type double precision;

create or replace view monitoring.predictions as
select p.day, p.id, regexp_replace(p.id, '-[0-9]+$', '') as exchange, s.model, s.version, s.version_source, s.environment, p.time,
  p.score, p.inputs, p.outputs, p.latency_ms, p.status, p.correlation_id,
  (case when l.label is null then -1 when l.label = 1 then 1 else 0 end)::smallint as label, l.observed_at,
  p.sampling, l.label as truth
from monitoring.prediction_rows p
join monitoring.streams s on s.id = p.stream
left join monitoring.prediction_labels l on l.day = p.day and l.id = p.id;
comment on column monitoring.predictions.truth is 'The label: 0 or 1, or the true value of a number; null: none yet';
`;
