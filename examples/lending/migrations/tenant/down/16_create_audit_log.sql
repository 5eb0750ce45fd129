drop trigger write_audit_log on payments;
drop trigger write_audit_log on loans;
drop trigger write_audit_log on borrowers;
drop function write_audit_log();
drop table audit_log;
