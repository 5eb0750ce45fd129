-- Together these are the case file: what staff collect about a borrower, an application or a loan.
create table documents (
  -- The id stands in download links, so it must not be guessable.
  id uuid primary key default gen_random_uuid(),
  borrower_id bigint references borrowers,
  application_id bigint references loan_applications,
  loan_id bigint references loans,
  kind text not null,
  file_name text not null,
  media_type text not null,
  storage_key text not null unique,
  byte_size bigint not null,
  sha256 bytea not null,
  uploaded_by bigint references staff_users,
  created_at timestamptz not null default now(),
  constraint documents_one_subject check (num_nonnulls(borrower_id, application_id, loan_id) = 1),
  constraint documents_size_positive check (byte_size > 0),
  constraint documents_digest_complete check (octet_length(sha256) = 32)
);

create index documents_borrower_id_idx on documents (borrower_id) where borrower_id is not null;
create index documents_application_id_idx on documents (application_id) where application_id is not null;
create index documents_loan_id_idx on documents (loan_id) where loan_id is not null;

comment on table documents is 'Files of the case file; the bytes are in object storage under storage_key.';
comment on column documents.sha256 is 'Proves that the stored file is the one that was signed.';

create table notes (
  id bigint generated always as identity primary key,
  borrower_id bigint references borrowers on delete cascade,
  application_id bigint references loan_applications on delete cascade,
  loan_id bigint references loans on delete cascade,
  author_id bigint not null references staff_users,
  body text not null,
  is_pinned boolean not null default false,
  created_at timestamptz not null default now(),
  constraint notes_one_subject check (num_nonnulls(borrower_id, application_id, loan_id) = 1),
  constraint notes_body_not_blank check (body ~ '\S')
);

create index notes_borrower_id_idx on notes (borrower_id, created_at) where borrower_id is not null;
create index notes_application_id_idx on notes (application_id, created_at) where application_id is not null;
create index notes_loan_id_idx on notes (loan_id, created_at) where loan_id is not null;
create index notes_author_id_idx on notes (author_id);

comment on table notes is 'What staff write down about a borrower, an application or a loan.';
