drop function loan_payoff(bigint, date);
drop view loan_balances;
drop view fee_balances;
drop view installment_balances;
drop view counted_allocations;
