-- Accounts that the lender added itself stay. An account with entries is held by their foreign key:
-- the reverse then fails as a whole and loses no booking.
delete from ledger_accounts where is_system;
