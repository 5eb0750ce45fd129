drop table loan_products;
drop type repayment_method;
