-- Fails while a lender's settings still point at a currency, and that is wanted: no cascade.
drop table currencies;
