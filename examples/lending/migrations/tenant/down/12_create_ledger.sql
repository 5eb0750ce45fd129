drop table ledger_entries;
drop function refuse_unbalanced_entry();
drop table journal_entries;
drop table ledger_accounts;
drop type account_kind;
