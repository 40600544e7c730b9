-- The first schema. No earlier code runs against this database.

create table couriers (
    id uuid primary key,
    name text not null check (char_length(name) between 1 and 100),
    phone text,
    vehicle text not null check (vehicle in ('foot', 'bicycle', 'scooter', 'motorcycle', 'car', 'van')),
    presence_state text check (presence_state in ('tracking', 'paused', 'off_duty')),
    presence_reason text check (presence_reason in ('screen_locked', 'no_permission', 'no_signal', 'low_battery', 'user')),
    presence_since timestamptz,
    created_at timestamptz not null default now()
);

-- A phone or tracker. Its token is random enough that a plain SHA-256 is safe to keep.
create table devices (
    id uuid primary key,
    courier_id uuid not null references couriers (id),
    label text not null,
    token_hash bytea not null constraint devices_token_hash_key unique check (octet_length(token_hash) = 32),
    created_at timestamptz not null default now(),
    revoked_at timestamptz
);
create index devices_courier_id_idx on devices (courier_id);

create table users (
    id uuid primary key,
    email text not null constraint users_email_key unique check (email = lower(email)),
    password_hash text not null,
    role text not null check (role in ('admin', 'dispatcher')),
    created_at timestamptz not null default now(),
    disabled_at timestamptz
);

create table sessions (
    token_hash bytea primary key check (octet_length(token_hash) = 32),
    user_id uuid not null references users (id),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);

create table api_keys (
    id uuid primary key,
    name text not null,
    token_hash bytea not null constraint api_keys_token_hash_key unique check (octet_length(token_hash) = 32),
    scopes text[] not null,
    created_at timestamptz not null default now(),
    revoked_at timestamptz
);

create table orders (
    id uuid primary key,
    reference text not null check (char_length(reference) between 1 and 100),
    status text not null check (status in
        ('created', 'assigned', 'at_pickup', 'picked_up', 'at_dropoff', 'delivered', 'failed', 'returned', 'cancelled')),
    status_at timestamptz not null,
    pickup_lat double precision not null check (pickup_lat between -90 and 90),
    pickup_lon double precision not null check (pickup_lon between -180 and 180),
    pickup_address text not null,
    pickup_instructions text,
    dropoff_lat double precision not null check (dropoff_lat between -90 and 90),
    dropoff_lon double precision not null check (dropoff_lon between -180 and 180),
    dropoff_address text not null,
    dropoff_instructions text,
    customer_name text not null,
    customer_phone text,
    customer_email text,
    promised_from timestamptz,
    promised_until timestamptz,
    courier_id uuid references couriers (id),
    assigned_at timestamptz,
    -- Since when the customer may see the courier: set while this order is the courier's next, else null.
    feed_from timestamptz,
    -- The start of the leg being driven: assignment, then pick-up. The trail begins no earlier.
    leg_from timestamptz,
    tracking_token_hash bytea not null constraint orders_tracking_token_hash_key unique
        check (octet_length(tracking_token_hash) = 32),
    created_at timestamptz not null,
    check (promised_from is null or promised_until is null or promised_from <= promised_until)
);
create index orders_created_at_idx on orders (created_at desc, id desc);
create index orders_open_by_courier_idx on orders (courier_id)
    where status in ('assigned', 'at_pickup', 'picked_up', 'at_dropoff');

create table order_events (
    id bigint generated always as identity primary key,
    order_id uuid not null references orders (id),
    status text not null,
    -- When it happened, by the clock of whoever says so.
    happened_at timestamptz not null,
    recorded_at timestamptz not null default now(),
    -- Who said so: 'user:…', 'key:…', 'courier:…' or 'system'.
    actor text not null,
    note text
);
create index order_events_order_id_idx on order_events (order_id, id);

-- Every position a courier ever sent, kept for the retention time. Partitioned by day so that
-- forgetting a day is dropping a table. There is no reference to couriers: the courier was
-- authenticated, and a check per row would cost more than the insert.
create table fixes (
    courier_id uuid not null,
    fixed_at timestamptz not null,
    received_at timestamptz not null,
    lat double precision not null check (lat between -90 and 90),
    lon double precision not null check (lon between -180 and 180),
    accuracy_m real check (accuracy_m >= 0),
    speed_mps real check (speed_mps >= 0),
    heading_deg real check (heading_deg >= 0 and heading_deg < 360),
    altitude_m real,
    battery real check (battery between 0 and 1),
    primary key (courier_id, fixed_at)
) partition by range (fixed_at);

-- What a POST with an Idempotency-Key answered, so that its repeat gets the same answer.
create table idempotency_keys (
    principal text not null,
    key text not null,
    request_hash bytea not null,
    status smallint not null,
    body bytea not null,
    created_at timestamptz not null default now(),
    primary key (principal, key)
);
