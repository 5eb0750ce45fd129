drop table loan_applications;
drop type application_status;
