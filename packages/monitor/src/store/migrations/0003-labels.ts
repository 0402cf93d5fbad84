/**
 * Labels: what a correction replaced, what was given up waiting, and the ledger as an account.
 *
 * `undated_predictions` says on which day a prediction is whose id names no moment. There are none where our agents record, so
 * it stays empty; with it no lookup has to walk through all days. (A partial index would ask every row: 7 µs each.)
 *
 * An exchange has a number within its agent's epoch, from 1, or it was left out by the sample. So
 * captured = recorded + quarantined + sampled out + dropped + unexplained, in exchanges: the pack's range tells numbers, its
 * `dropped` the totals of the epoch so far.
 */
export const labels = `
create table monitoring.undated_predictions (id text primary key, day date not null);
insert into monitoring.undated_predictions (id, day) select id, day from monitoring.predictions
  where id !~ '^[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}(-[0-9]+)?$';

create table monitoring.label_history (
  number bigint generated always as identity primary key,
  key text collate "C" not null,
  day date,
  old_label smallint not null,
  old_observed_at timestamptz,
  label smallint not null,
  observed_at timestamptz,
  source text not null,
  received_at timestamptz not null default now()
);
create index label_history_key on monitoring.label_history (key, number);
comment on table monitoring.label_history is 'Every correction of a label: by prediction id, or by the key that still waits (day is null)';

create index early_labels_received on monitoring.early_labels (received_at);
create table monitoring.label_totals (name text primary key, count bigint not null);
comment on table monitoring.label_totals is 'expired: labels that waited too long for their prediction';

create index packs_epoch on monitoring.packs (agent, epoch, first);

create view monitoring.gaps as
with ranges as (
  select agent, epoch, model, first, last, recorded_at,
    coalesce(max(last) over earlier, least(first, 1) - 1) as before,
    coalesce((select sum(value::bigint) from jsonb_each_text(dropped) where key <> 'sampled_out'), 0) as dropped
  from monitoring.packs
  window earlier as (partition by agent, epoch order by first, last rows between unbounded preceding and 1 preceding)
), summed as (
  select *, greatest(first - before - 1, 0) as missing,
    sum(greatest(first - before - 1, 0)) over upto - max(dropped) over upto as short
  from ranges
  window upto as (partition by agent, epoch order by first, last rows between unbounded preceding and current row)
), worst as (
  select *, greatest(max(short) over upto, 0) as unexplained_so_far
  from summed
  window upto as (partition by agent, epoch order by first, last rows between unbounded preceding and current row)
), each as (
  select *, unexplained_so_far - lag(unexplained_so_far, 1, 0) over (partition by agent, epoch order by first, last) as unexplained
  from worst
)
select agent, epoch, model, before + 1 as first_missing, first - 1 as last_missing, missing::bigint as missing,
  least(unexplained, missing)::bigint as unexplained, unexplained = 0 as explained, recorded_at as noticed_at
from each where missing > 0;
comment on view monitoring.gaps is 'Numbers of an epoch that are in no pack; explained: the agent had counted as many losses by then';

create function monitoring.account(since timestamptz default '-infinity', only_model text default null)
returns table (
  model text, agent text, epoch text, captured bigint, recorded bigint, predictions bigint, quarantined bigint,
  sampled_out bigint, dropped jsonb, in_flight bigint, unexplained bigint, last_pack_at timestamptz
) language sql stable as $$
  with active as (
    select distinct p.agent, p.epoch from monitoring.packs p
    where p.recorded_at >= since and (only_model is null or p.model = only_model)
  ), ranges as (
    select p.*, greatest(p.first - 1 - coalesce(max(p.last) over earlier, least(p.first, 1) - 1), 0) as missing
    from active a join monitoring.packs p on p.agent = a.agent and p.epoch = a.epoch
    window earlier as (partition by p.agent, p.epoch order by p.first, p.last rows between unbounded preceding and 1 preceding)
  ), state as (
    select p.agent, p.epoch, upto.at_end, max(p.model) as model, max(p.recorded_at) as last_pack_at,
      max(p.last) - least(min(p.first), 1) + 1 as numbers, sum(p.exchanges) as received, sum(p.stored) as predictions,
      sum(p.quarantined) as quarantined, (array_agg(p.dropped order by p.last desc))[1] as dropped,
      coalesce(sum(p.missing) filter (where p.recorded_at > now() - interval '2 minutes'), 0) as fresh
    from ranges p cross join (values (false), (true)) as upto (at_end)
    where upto.at_end or p.recorded_at < since
    group by p.agent, p.epoch, upto.at_end
  ), counted as (
    select s.*, coalesce(sum(d.value::bigint) filter (where d.key <> 'sampled_out'), 0) as lost,
      coalesce(sum(d.value::bigint) filter (where d.key = 'sampled_out'), 0) as sampled
    from state s left join lateral jsonb_each_text(s.dropped) d on true
    group by s.agent, s.epoch, s.at_end, s.model, s.last_pack_at, s.numbers, s.received, s.predictions, s.quarantined, s.dropped, s.fresh
  ), parts as (
    select *, greatest(numbers - received - lost, 0) as missing from counted
  ), change as (
    select e.model, e.agent, e.epoch, e.last_pack_at,
      e.received - coalesce(b.received, 0) as received, e.predictions - coalesce(b.predictions, 0) as predictions,
      e.quarantined - coalesce(b.quarantined, 0) as quarantined, e.sampled - coalesce(b.sampled, 0) as sampled,
      greatest(e.missing - coalesce(b.missing, 0), 0) as missing, e.fresh,
      (select coalesce(jsonb_object_agg(d.key, d.value::bigint - coalesce((b.dropped->>d.key)::bigint, 0)), '{}')
        from jsonb_each_text(e.dropped) d
        where d.key <> 'sampled_out' and d.value::bigint > coalesce((b.dropped->>d.key)::bigint, 0)) as dropped,
      e.lost - coalesce(b.lost, 0) as lost
    from parts e left join parts b on b.agent = e.agent and b.epoch = e.epoch and not b.at_end
    where e.at_end
  )
  select model, agent, epoch, (received + sampled + lost + missing)::bigint, (received - quarantined)::bigint,
    predictions::bigint, quarantined::bigint, sampled::bigint, dropped, least(missing, fresh)::bigint,
    (missing - least(missing, fresh))::bigint, last_pack_at
  from change
$$;
comment on function monitoring.account is 'captured = recorded + quarantined + sampled_out + dropped + in_flight + unexplained, in exchanges, of each epoch that recorded something since then';
`;
