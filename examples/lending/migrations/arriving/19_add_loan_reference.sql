-- Gives every loan a unique reference: the number of the former system if it has one, else a new number.
create sequence loan_reference_number;

-- The default fills the rows that are there while the column is added, so no trigger writes an audit row for each.
alter table loans add column reference text not null
  default 'L-' || lpad(nextval('loan_reference_number')::text, 8, '0');

alter sequence loan_reference_number owned by loans.reference;

update loans set reference = external_ref where external_ref is not null;

-- Letters and bank transfers quote the reference, so it must lead to one loan.
create unique index loans_reference_key on loans (reference);

comment on column loans.reference is 'What borrowers and banks quote; the loan keeps it for life.';
