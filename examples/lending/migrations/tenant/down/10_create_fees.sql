drop table fees;
drop type fee_kind;
