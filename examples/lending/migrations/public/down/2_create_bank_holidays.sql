drop table bank_holidays;
