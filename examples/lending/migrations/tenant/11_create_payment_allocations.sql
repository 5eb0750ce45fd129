create type allocation_component as enum ('principal', 'interest', 'fee');

create table payment_allocations (
  id bigint generated always as identity primary key,
  loan_id bigint not null,
  -- The parts of a payment go with it; what they settle stays.
  payment_id bigint not null,
  component allocation_component not null,
  installment_id bigint,
  fee_id bigint,
  amount numeric(14,2) not null,
  foreign key (payment_id, loan_id) references payments (id, loan_id) on delete cascade,
  foreign key (installment_id, loan_id) references installments (id, loan_id),
  foreign key (fee_id, loan_id) references fees (id, loan_id),
  unique nulls not distinct (payment_id, component, installment_id, fee_id),
  constraint payment_allocations_amount_positive check (amount > 0),
  constraint payment_allocations_target_fits_component check (
    case component
      when 'fee' then fee_id is not null and installment_id is null
      else installment_id is not null and fee_id is null
    end
  )
);

create index payment_allocations_loan_id_idx on payment_allocations (loan_id);
create index payment_allocations_installment_id_idx on payment_allocations (installment_id);
create index payment_allocations_fee_id_idx on payment_allocations (fee_id) where fee_id is not null;

comment on table payment_allocations is
  'Which part of a payment settles which installment or fee. The rest is not allocated yet.';

-- The tables are named through the trigger's own schema, so the function is right
-- under any search_path and after a rename of the schema.
create function refuse_excess_allocation() returns trigger language plpgsql as $$
declare
  received numeric;
  allocated numeric;
begin
  -- The lock makes two allocations of one payment wait for each other; only then is the sum sure.
  execute format('select amount from %I.payments where id = $1 for no key update', tg_table_schema)
    into received using new.payment_id;
  execute format('select sum(amount) from %I.payment_allocations where payment_id = $1', tg_table_schema)
    into allocated using new.payment_id;
  if allocated > received then
    raise check_violation using
      message = format('payment %s has %s, but %s would be allocated', new.payment_id, received, allocated),
      schema = tg_table_schema, table = tg_table_name;
  end if;
  return null;
end
$$;

create trigger refuse_excess_allocation after insert or update on payment_allocations
  for each row execute function refuse_excess_allocation();
