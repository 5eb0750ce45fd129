drop table notes;
drop table documents;
