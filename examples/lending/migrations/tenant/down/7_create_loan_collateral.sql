drop table loan_collateral;
drop type collateral_kind;
