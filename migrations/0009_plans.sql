-- Orders that people change, and the order in which couriers make their stops.
--
-- Servers of the previous version go on working beside new ones: every new column has a default or may be null, a
-- trigger counts versions whichever server writes, and a plan that lacks an order which an older server assigned gets
-- it when it is read. An older server serves a courier's orders by its own rule, so what it shows its customers may
-- differ until it is replaced. It does not know the new exceptions: a console that it serves cannot list them until then.

alter table orders
    -- Counts up with every change that people see.
    add column version bigint not null default 1,
    -- Which attempt to deliver it this is.
    add column attempt integer not null default 1 check (attempt between 1 and 1000),
    -- How much of a courier's capacity it takes.
    add column size integer not null default 1 check (size between 1 and 100000),
    -- How long the hand-over at the door takes; null when it is learned.
    add column service_s integer check (service_s between 0 and 14400),
    -- What its courier must have.
    add column requires text[] not null default '{}' check (cardinality(requires) <= 20),
    -- The merchant's remark.
    add column note text,
    -- The number of the shop or kitchen.
    add column pickup_phone text,
    -- Who has the goods on board: from the pickup until they are handed over or brought back.
    add column carried_by uuid references couriers (id),
    -- The version of the courier's plan with which they last got a change of this order.
    add column plan_version bigint,
    -- When their screen showed it.
    add column seen_at timestamptz,
    -- What dispatch changed and their screen has not shown yet.
    add column unseen_changes text[] not null default '{}';

update orders set carried_by = courier_id where status in ('picked_up', 'at_dropoff');

-- Few orders are over while their goods are on board; open ones have an index of their own.
create index orders_carried_by_idx on orders (carried_by) where carried_by is not null;

-- How long couriers usually wait is asked by place.
create index orders_pickup_idx on orders (pickup_lat, pickup_lon);

create function count_order_version() returns trigger language plpgsql as $$
begin
    if (new.reference, new.status, new.status_at, new.pickup_lat, new.pickup_lon, new.pickup_address,
        new.pickup_instructions, new.pickup_phone, new.dropoff_lat, new.dropoff_lon, new.dropoff_address,
        new.dropoff_instructions, new.customer_name, new.customer_phone, new.customer_email, new.promised_from,
        new.promised_until, new.courier_id, new.proof_wanted, new.attempt, new.size, new.service_s, new.requires,
        new.note, new.carried_by)
        is distinct from
       (old.reference, old.status, old.status_at, old.pickup_lat, old.pickup_lon, old.pickup_address,
        old.pickup_instructions, old.pickup_phone, old.dropoff_lat, old.dropoff_lon, old.dropoff_address,
        old.dropoff_instructions, old.customer_name, old.customer_phone, old.customer_email, old.promised_from,
        old.promised_until, old.courier_id, old.proof_wanted, old.attempt, old.size, old.service_s, old.requires,
        old.note, old.carried_by)
    then
        new.version := old.version + 1;
    end if;
    return new;
end
$$;
create trigger orders_version before update on orders for each row execute function count_order_version();

-- A courier's open stops in order, one row for each courier who ever had an order.
create table plans (
    courier_id uuid primary key references couriers (id),
    version bigint not null,
    -- How many stops at the start keep their places when an order is added.
    locked integer not null default 0 check (locked >= 0),
    order_ids uuid[] not null,
    kinds text[] not null check (kinds <@ array['pickup', 'dropoff', 'return']),
    changed_at timestamptz not null,
    -- 'user:…', 'key:…', 'courier:…' or 'system'.
    changed_by text not null,
    -- What they did: 'reordered', or the kind of the order's event.
    change text not null,
    check (cardinality(order_ids) = cardinality(kinds))
);

alter table couriers
    -- How much they can carry at once; null without a limit.
    add column capacity integer check (capacity between 1 and 100000),
    add column skills text[] not null default '{}' check (cardinality(skills) <= 20),
    add column shift_from timestamptz,
    add column shift_until timestamptz,
    add column break_from timestamptz,
    add column break_until timestamptz,
    -- Where their tours begin and end.
    add column depot_lat double precision check (depot_lat between -90 and 90),
    add column depot_lon double precision check (depot_lon between -180 and 180),
    add column depot_address text,
    -- Since when they work here no longer.
    add column archived_at timestamptz,
    add constraint couriers_shift_check check ((shift_from is null) = (shift_until is null) and shift_from < shift_until),
    add constraint couriers_break_check check (
        (break_from is null) = (break_until is null)
        and (break_from is null or (shift_from <= break_from and break_from < break_until and break_until <= shift_until))),
    add constraint couriers_depot_check check (
        (depot_lat is null) = (depot_lon is null) and (depot_lat is null) = (depot_address is null));

-- An event is no longer only a change of status.
alter table order_events
    add column kind text not null default 'status' check (kind in
        ('status', 'assigned', 'unassigned', 'given_back', 'edited', 'attempt', 'reopened', 'not_ready',
         'goods_returned', 'late_report')),
    -- The courier whom it concerns: who got the order, or had it.
    add column courier_id uuid references couriers (id),
    -- {"dropoff.address": {"from": "…", "to": "…"}, …}
    add column changes jsonb;

alter table exceptions drop constraint exceptions_code_check;
alter table exceptions add constraint exceptions_code_check check (code in
    ('delivered_far', 'late', 'silent', 'off_route', 'stationary', 'not_ready', 'given_back', 'late_report'));

-- Pickups to choose from when an order is created.
create table saved_pickups (
    id uuid primary key,
    name text not null check (char_length(name) between 1 and 100),
    lat double precision not null check (lat between -90 and 90),
    lon double precision not null check (lon between -180 and 180),
    address text not null,
    instructions text,
    phone text,
    created_at timestamptz not null
);
create unique index saved_pickups_name_key on saved_pickups (search_fold(name));
