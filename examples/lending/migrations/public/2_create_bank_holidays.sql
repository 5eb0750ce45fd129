-- An installment that falls on one of these days is due on the next day that is not in here.
create table bank_holidays (
  calendar text not null,
  observed_on date not null,
  name text not null,
  primary key (calendar, observed_on)
);

comment on table bank_holidays is 'Days on which a payment system is closed, apart from weekends.';
comment on column bank_holidays.calendar is 'The payment system, such as TARGET for payments in euro.';

-- Weekends are left out, so the days of a year are those that fall on a working day.
insert into bank_holidays (calendar, observed_on, name) values
  ('TARGET', '2026-01-01', 'New Year''s Day'),
  ('TARGET', '2026-04-03', 'Good Friday'),
  ('TARGET', '2026-04-06', 'Easter Monday'),
  ('TARGET', '2026-05-01', 'Labour Day'),
  ('TARGET', '2026-12-25', 'Christmas Day'),
  ('TARGET', '2027-01-01', 'New Year''s Day'),
  ('TARGET', '2027-03-26', 'Good Friday'),
  ('TARGET', '2027-03-29', 'Easter Monday');
