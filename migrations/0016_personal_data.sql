-- Personal data ends: with time, and when a person asks.
--
-- Servers of the previous version go on working: what is new has a default or may be null, and a trigger counts
-- whichever server writes. They keep an order's link alive that has closed by now, do not say whom an answer is about,
-- and erase nothing.

-- The digits of a telephone number as people compare them: +356 2122 0000 and 00356-21220000 are one.
create function phone_digits(text) returns text language sql immutable strict parallel safe as $$
    select ltrim(regexp_replace($1, '[^0-9]', '', 'g'), '0')
$$;

alter table orders
    -- Since when names, numbers, addresses, notes and exact places are gone. Set back by a trigger when somebody writes
    -- such again.
    add column erased_at timestamptz,
    -- When anything that people see was changed last. Orders from before this migration count as changed by it.
    add column changed_at timestamptz not null default now();

-- What is due to be erased is looked for every ten minutes.
create index orders_unerased_idx on orders (status_at) where erased_at is null;
-- A person is looked up by number or address.
create index orders_customer_phone_idx on orders (phone_digits(customer_phone)) where customer_phone is not null;
create index orders_pickup_phone_idx on orders (phone_digits(pickup_phone)) where pickup_phone is not null;
create index orders_customer_address_idx on orders (lower(customer_email)) where customer_email is not null;

alter table couriers add column erased_at timestamptz;

-- The orders, couriers and devices that the sealed answer is about.
alter table idempotency_keys add column about uuid[] not null default '{}';

-- What is left of a person who was erased on request: that it was done, by whom, and how much.
create table erasures (
    id uuid primary key,
    erased_at timestamptz not null,
    -- 'user:…'; null when the command line did it.
    erased_by text,
    sought text not null check (sought in ('phone', 'email', 'courier')),
    -- The row that stays of a courier, without anything about them.
    courier_id uuid references couriers (id),
    -- How many rows of what: {"orders": 3, …}
    counts jsonb not null
);
create index erasures_erased_at_idx on erasures (erased_at desc, id desc);

create or replace function count_order_version() returns trigger language plpgsql as $$
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
        new.changed_at := now();
    end if;
    if old.erased_at is not null and new.erased_at is not distinct from old.erased_at
        and (new.reference, new.pickup_lat, new.pickup_lon, new.pickup_address, new.pickup_instructions,
             new.pickup_phone, new.dropoff_lat, new.dropoff_lon, new.dropoff_address, new.dropoff_instructions,
             new.customer_name, new.customer_phone, new.customer_email, new.requires, new.note)
            is distinct from
            (old.reference, old.pickup_lat, old.pickup_lon, old.pickup_address, old.pickup_instructions,
             old.pickup_phone, old.dropoff_lat, old.dropoff_lon, old.dropoff_address, old.dropoff_instructions,
             old.customer_name, old.customer_phone, old.customer_email, old.requires, old.note)
    then
        new.erased_at := null;
    end if;
    return new;
end
$$;

-- Couriers' remarks are few among all events.
create index order_events_remarks_idx on order_events (actor) where note is not null;
