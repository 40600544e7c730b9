-- What needs a dispatcher's look: couriers gone silent, orders running late, and the like.
-- The previous version neither writes nor reads this and goes on working. Kept as long as fixes, because it tells where
-- a courier was.

create table exceptions (
    id uuid primary key,
    code text not null check (code in ('delivered_far', 'late', 'silent', 'off_route', 'stationary')),
    -- What it is noticed once for: the courier (silent, stationary) or the order (all others).
    subject_id uuid not null,
    courier_id uuid references couriers (id),
    order_id uuid references orders (id),
    since_at timestamptz not null,
    noticed_at timestamptz not null,
    -- When it was over by itself.
    ended_at timestamptz,
    -- Where the courier was when it was noticed.
    lat double precision check (lat between -90 and 90),
    lon double precision check (lon between -180 and 180),
    late_by_s integer check (late_by_s >= 0),
    distance_m integer check (distance_m >= 0),
    -- Why the phone said that it would pause.
    reason text check (reason in ('screen_locked', 'no_permission', 'no_signal', 'low_battery', 'user')),
    acknowledged_at timestamptz,
    acknowledged_by uuid references users (id),
    note text,
    check (courier_id is not null or order_id is not null),
    check ((lat is null) = (lon is null)),
    check ((acknowledged_at is null) = (acknowledged_by is null))
);
-- One at a time: whoever notices it again, after a restart or on another instance, finds it noticed.
create unique index exceptions_ongoing_key on exceptions (code, subject_id) where ended_at is null;
create unique index exceptions_delivered_far_key on exceptions (subject_id) where code = 'delivered_far';
create index exceptions_open_idx on exceptions (since_at) where acknowledged_at is null;
create index exceptions_noticed_at_idx on exceptions (noticed_at);

-- Orders that nobody has and whose promise may soon be broken are looked for every few seconds.
create index orders_unassigned_promise_idx on orders (promised_until)
    where status = 'created' and promised_until is not null;
