drop table sign_up_requests;
drop type sign_up_status;
