drop table installments;
