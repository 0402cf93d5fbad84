/**
 * Hours with predictions that were recorded before their version's reference was known: without bins, classes, segments and scores.
 * They are counted again once it is. Those of models of several classes are marked too: probabilities by class were not counted
 * before.
 */
export const uncountedHours = `
create table monitoring.uncounted_hours (
  model text not null,
  version text not null,
  environment text not null,
  hour timestamptz not null,
  revision bigint not null default nextval('monitoring.dirty_revision'),
  primary key (model, version, environment, hour)
);
insert into monitoring.uncounted_hours (model, version, environment, hour)
select distinct model, version, environment, hour from monitoring.all_profile_counts where variable = '$class/matrix';
`;
