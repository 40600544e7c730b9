-- Addresses that an operator put to their right point, and the doors that couriers propose.
--
-- The previous version neither writes nor reads pins: its searches go on to answer from the map alone. It does not know
-- the new exception: a console that it serves cannot list such until it is replaced.

create table address_pins (
    -- Chosen by the client, so that a request may be sent again.
    id uuid primary key,
    address text not null check (char_length(address) between 1 and 300),
    -- The words by which an address is recognised: one pin for each address.
    key text not null check (key <> ''),
    lat double precision not null check (lat between -90 and 90),
    lon double precision not null check (lon between -180 and 180),
    pinned_at timestamptz not null,
    -- 'user:' or 'key:' and an id.
    pinned_by text not null
);
create unique index address_pins_key_key on address_pins (key);

-- Counts changes, so that each server sees with one small question whether those it has in memory are still the ones.
create table address_pins_version (
    only_row boolean primary key default true check (only_row),
    version bigint not null
);
insert into address_pins_version (version) values (0);

alter table exceptions drop constraint exceptions_code_check;
alter table exceptions add constraint exceptions_code_check check (code in
    ('delivered_far', 'late', 'silent', 'off_route', 'stationary', 'not_ready', 'given_back', 'late_report',
     'door_elsewhere'));
-- A report that is sent again proposes nothing new.
create unique index exceptions_door_elsewhere_key on exceptions (subject_id, since_at) where code = 'door_elsewhere';
