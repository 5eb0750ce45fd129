create table audit_log (
  id bigint generated always as identity primary key,
  occurred_at timestamptz not null default clock_timestamp(),
  -- The service names the person with set_config('lending.actor', …, true); a bare session is named by its role.
  actor text not null default coalesce(nullif(current_setting('lending.actor', true), ''), session_user),
  table_name text not null,
  row_id bigint not null,
  action text not null,
  before jsonb,
  after jsonb,
  constraint audit_log_action_known check (action in ('INSERT', 'UPDATE', 'DELETE'))
);

create index audit_log_row_idx on audit_log (table_name, row_id, occurred_at);
-- Rows arrive in the order of time, so a block range index stays tiny however long the log grows.
create index audit_log_occurred_at_idx on audit_log using brin (occurred_at);

comment on table audit_log is 'Who changed which borrower, loan or payment, with the row before and after.';

-- The log is named through the trigger's own schema, so a change is never logged at another lender,
-- whatever the search_path, and the function survives a rename of the schema.
create function write_audit_log() returns trigger language plpgsql as $$
begin
  if old is not distinct from new then
    return null;
  end if;
  execute format(
    'insert into %I.audit_log (table_name, row_id, action, before, after) values ($1, $2, $3, $4, $5)',
    tg_table_schema
  ) using tg_table_name, coalesce(new.id, old.id), tg_op, to_jsonb(old), to_jsonb(new);
  return null;
end
$$;

create trigger write_audit_log after insert or update or delete on borrowers
  for each row execute function write_audit_log();
create trigger write_audit_log after insert or update or delete on loans
  for each row execute function write_audit_log();
create trigger write_audit_log after insert or update or delete on payments
  for each row execute function write_audit_log();
