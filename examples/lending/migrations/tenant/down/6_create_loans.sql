drop table loans;
drop type loan_status;
