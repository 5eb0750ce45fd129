drop table borrowers;
drop type borrower_kind;
