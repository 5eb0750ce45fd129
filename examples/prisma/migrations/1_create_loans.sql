create table loans (
  id bigint generated always as identity primary key,
  borrower text not null,
  amount numeric(12, 2) not null check (amount > 0)
);
