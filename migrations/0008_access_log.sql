-- The access log gets its name: the table looks becomes access_log, looked_at becomes accessed_at.
--
-- Instances of the previous version go on writing to, reading and forgetting from `looks` while this one migrates and
-- until they are replaced. For them `looks` is now a view: one table, no expressions, so Postgres passes inserts,
-- updates and deletes on to the table, which also numbers the rows. A later release drops the view, once no instance
-- runs that is older than this migration.

alter table looks rename to access_log;
alter table access_log rename column looked_at to accessed_at;

alter sequence looks_id_seq rename to access_log_id_seq;
alter index looks_pkey rename to access_log_pkey;
alter index looks_looked_at_idx rename to access_log_accessed_at_idx;
alter index looks_actor_idx rename to access_log_actor_idx;
alter index looks_subject_id_idx rename to access_log_subject_id_idx;
alter table access_log rename constraint looks_what_check to access_log_what_check;
alter table access_log rename constraint looks_lost_check to access_log_lost_check;
alter table access_log rename constraint looks_check to access_log_check;

create view looks as
    select id, accessed_at as looked_at, actor, what, subject_id, address, lost from access_log;
