drop table borrower_addresses;
drop type address_kind;
