-- Which device a fix came from, so that two devices of a courier may report in the same moment.
--
-- A fix was identified by its courier and its time. Its time is a whole number of milliseconds, and the column keeps
-- microseconds: those below the millisecond are the number of its source from now on. So the key holds the source, no row
-- and no index grows, and no row that is there has to change: its number is 0, a source of before this table.
--
-- Servers of the previous version go on working: they write all fixes as of source 0, and read times to the millisecond.
-- A fix that one of them stored and that its phone sends again to a new server is stored a second time.

create table fix_sources (
    courier_id uuid not null,
    -- The least that is free among the courier's. Sources beyond the last number are of source 0 in fixes.
    number smallint not null check (number between 1 and 999),
    device_id uuid not null,
    -- How far the device's clock was ahead of ours, in milliseconds; negative behind. A fix's time plus this is what the
    -- device wrote.
    clock_ahead_ms bigint not null,
    -- The device told of the past, and not of where it was just then: no position to show as the courier's.
    is_past boolean not null,
    created_at timestamptz not null default now(),
    primary key (courier_id, number)
);
-- No reference to couriers or devices, as fixes have none: a source is kept as long as fixes may name it, and forgotten
-- some days after the last fix of a device that was revoked.
create unique index fix_sources_key on fix_sources (courier_id, device_id, clock_ahead_ms, is_past);

-- What is known of a device's clock, and what was rejected of its reports. Servers of the previous version neither write
-- nor read it: what they take in of a device ends no row of rejections, and the next report to a new server does.
alter table devices
    -- How far the clock is ahead of ours, learned from several reports; 0 while it is near enough.
    add column clock_ahead_ms bigint not null default 0,
    -- Points that were rejected, off duty aside.
    add column rejected_count bigint not null default 0,
    -- The code of the last of them, and when it came.
    add column last_rejection text,
    add column last_rejected_at timestamptz,
    -- Since when every report was rejected, and how many they were; null and 0 while reports are taken.
    add column rejected_since timestamptz,
    add column rejected_in_a_row integer not null default 0;
-- Every few seconds each server asks for them; they are few.
create index devices_rejected_idx on devices (last_rejected_at) where rejected_since is not null;

-- A console that the previous version serves cannot list the two new exceptions until it is replaced.
alter table exceptions drop constraint exceptions_code_check;
alter table exceptions add constraint exceptions_code_check check (code in
    ('delivered_far', 'late', 'silent', 'off_route', 'stationary', 'not_ready', 'given_back', 'late_report',
     'door_elsewhere', 'clock_wrong', 'reports_unreadable'));
