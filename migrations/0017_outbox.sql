-- What leaves the server: an event for each change, in the transaction of the change, and webhooks that carry them.
--
-- The previous version writes no events and reads none of these tables; what it changes while both run is told to nobody.

create table webhooks (
    id uuid primary key,
    url text not null check (char_length(url) between 1 and 2000),
    description text check (char_length(description) between 1 and 200),
    -- 'order.created', 'order.*', or '*'.
    events text[] not null check (cardinality(events) between 1 and 50),
    -- Whether customers' numbers and addresses go along.
    personal boolean not null,
    -- It signs, so a hash would not do. The former one signs too until its time is over.
    secret bytea not null check (octet_length(secret) between 24 and 64),
    former_secret bytea check (octet_length(former_secret) between 24 and 64),
    former_until timestamptz,
    created_at timestamptz not null,
    created_by text not null,
    -- When it last answered with success, to the minute.
    succeeded_at timestamptz,
    -- Since when every try failed.
    failing_since timestamptz,
    -- It asked to be left alone until then.
    held_until timestamptz,
    disabled_at timestamptz,
    disabled_reason text check (disabled_reason in ('gone', 'failing')),
    -- A row stays for a while: a change that began before may still put events into its lane.
    deleted_at timestamptz,
    check ((disabled_at is null) = (disabled_reason is null)),
    check ((former_secret is null) = (former_until is null))
);

-- What happened, as it was then.
create table outbox_events (
    id uuid primary key,
    -- Of one order, in the order of the commits: its row is locked meanwhile.
    seq bigint generated always as identity,
    type text not null,
    -- The order or the courier: events of one subject are delivered one after the other.
    subject_id uuid not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null default now(),
    data jsonb not null,
    -- What only those get who ask for it, of the shape of data.
    personal jsonb
);
create index outbox_events_subject_id_idx on outbox_events (subject_id);
create index outbox_events_recorded_at_idx on outbox_events (recorded_at);
create unique index outbox_events_approaching_key on outbox_events (subject_id, (data ->> 'attempt'))
    where type = 'order.approaching';

-- An event on its way to one target.
create table outbox_deliveries (
    id bigint generated always as identity primary key,
    lane text not null check (lane in ('webhook')),
    target_id uuid not null,
    subject_id uuid not null,
    event_id uuid not null,
    -- The event's.
    seq bigint not null,
    state text not null default 'waiting' check (state in ('waiting', 'delivered', 'given_up', 'cancelled')),
    tries integer not null default 0,
    queued_at timestamptz not null,
    finished_at timestamptz
);
create index outbox_deliveries_waiting_idx on outbox_deliveries (target_id, subject_id, seq) where state = 'waiting';
create index outbox_deliveries_subject_id_idx on outbox_deliveries (subject_id);
create index outbox_deliveries_age_idx on outbox_deliveries (lane, queued_at) where state = 'waiting';
create index outbox_deliveries_queued_at_idx on outbox_deliveries (queued_at);
create unique index outbox_deliveries_waiting_key on outbox_deliveries (target_id, event_id) where state = 'waiting';

-- One row for each target and subject of which something waits: when its first delivery is due. A worker that takes it
-- moves that time ahead and leaves its lease; when the worker dies, the row is due again. Whoever adds a delivery writes
-- the row as well, so that none is added to a row while the worker removes it.
create table outbox_queues (
    target_id uuid not null,
    subject_id uuid not null,
    due_at timestamptz not null,
    lease uuid,
    primary key (target_id, subject_id)
);
create index outbox_queues_due_idx on outbox_queues (target_id, due_at);

-- Every try, with its answer's status and nothing else of the answer.
create table webhook_attempts (
    id bigint generated always as identity primary key,
    webhook_id uuid not null,
    event_id uuid not null,
    type text not null,
    -- From 1.
    try integer not null,
    at timestamptz not null,
    duration_ms integer not null check (duration_ms >= 0),
    outcome text not null,
    status integer,
    -- When the next one follows, if one does.
    next_at timestamptz
);
create index webhook_attempts_webhook_id_idx on webhook_attempts (webhook_id, id desc);
create index webhook_attempts_at_idx on webhook_attempts (at);
