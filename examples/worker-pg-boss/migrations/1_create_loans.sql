create table loans (
  id bigint generated always as identity primary key,
  borrower text not null,
  due date not null,
  reminded boolean not null default false
);
