drop table staff_users;
drop function set_updated_at();
drop type staff_role;
