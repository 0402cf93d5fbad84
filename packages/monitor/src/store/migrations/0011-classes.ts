/**
 * Models that predict one of several classes: which those are, and the names of true classes that wait for their prediction, or that
 * the baseline lacks. A label stays one number: an index, or the key of a name (2^200 times its number, which no label can be).
 */
export const classes = `
alter table monitoring.model_references
  add column classes json generated always as (baseline->'classification'->'classes') stored;

create table monitoring.class_names (
  number bigint generated always as identity primary key,
  name text not null unique,
  key double precision not null generated always as (number::float8 * power(2::float8, 200)) stored unique
);
comment on table monitoring.class_names is 'Labels that are names of classes: prediction_labels.label and early_labels.label hold the key';
`;
