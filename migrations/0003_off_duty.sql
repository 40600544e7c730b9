-- When couriers were off duty, once it is over. A tracker that went on recording sends its points when it can,
-- perhaps long after the courier is back; points from such a time are refused all the same.
-- The previous version neither writes nor reads this and goes on working.
create table off_duty_spans (
    courier_id uuid not null references couriers (id),
    from_at timestamptz not null,
    until_at timestamptz not null,
    primary key (courier_id, from_at),
    check (from_at <= until_at)
);
