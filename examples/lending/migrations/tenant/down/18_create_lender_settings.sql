drop table lender_settings;
