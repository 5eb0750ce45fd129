-- The sequence belongs to the column and goes with it, as the index does.
alter table loans drop column reference;
