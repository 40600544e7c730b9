-- How couriers' browsers sign in, and which devices are in use.
-- The version before this one goes on working: it neither reads nor writes anything that is new here, and a device
-- that it adds is simply one that was never seen.

alter table devices
    -- When it last connected or reported, to the minute.
    add column last_seen_at timestamptz,
    -- What it last reported with.
    add column client text check (client in ('web', 'native', 'traccar', 'owntracks', 'overland')),
    -- The app that it was set up for. Such a device may report positions and nothing else.
    add column tracker_app text check (tracker_app in ('traccar', 'owntracks', 'overland'));

-- A courier has at most one tracker of each app.
create unique index devices_tracker_app_key on devices (courier_id, tracker_app) where revoked_at is null;

-- The secret of a sign-in link. It works once, and only for a short time.
create table courier_sign_in_codes (
    code_hash bytea primary key check (octet_length(code_hash) = 32),
    device_id uuid not null references devices (id),
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz
);
create index courier_sign_in_codes_device_id_idx on courier_sign_in_codes (device_id);

-- A browser in which a courier is signed in as a device.
create table courier_sessions (
    token_hash bytea primary key check (octet_length(token_hash) = 32),
    device_id uuid not null references devices (id),
    created_at timestamptz not null,
    -- To the hour.
    last_used_at timestamptz not null,
    -- The latest moment at which it ends, however much it is used.
    expires_at timestamptz not null
);
create index courier_sessions_device_id_idx on courier_sessions (device_id);
