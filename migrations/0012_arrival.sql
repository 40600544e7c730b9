-- What customers were told of arrivals, what came, and what deliveries taught.
--
-- Servers of the previous version neither read nor write these tables; deliveries that they finish are learned from by
-- servers of this version, but their customers' ranges are not scored.

-- Every range that a customer was told. Kept for two days: the scores hold what is needed of it.
create table arrival_told (
    order_id uuid not null,
    attempt integer not null,
    told_at timestamptz not null,
    earliest_at timestamptz not null,
    expected_at timestamptz not null,
    latest_at timestamptz not null,
    -- What was expected when the range moved last, and the yardstick of its error.
    forecast_at timestamptz not null,
    scale_s double precision not null check (scale_s > 0),
    situation text not null check (situation in ('direct', 'before_pickup', 'behind_stops')),
    primary key (order_id, attempt, told_at)
);
create index arrival_told_at_idx on arrival_told (told_at);

-- One row for each delivery that was learned from. Whoever inserts it first has learned it for all servers.
create table arrival_lessons (
    order_id uuid not null,
    attempt integer not null,
    learned_at timestamptz not null default now(),
    -- How long its parts took, as the estimator reads it.
    seen jsonb not null,
    primary key (order_id, attempt)
);
create index arrival_lessons_learned_idx on arrival_lessons (learned_at);

-- The range that stood some minutes before the courier was at the door.
create table arrival_scores (
    order_id uuid not null,
    attempt integer not null,
    horizon_min integer not null check (horizon_min > 0),
    courier_id uuid not null,
    vehicle text not null,
    pickup text not null,
    arrived_at timestamptz not null,
    told_at timestamptz not null,
    earliest_at timestamptz not null,
    expected_at timestamptz not null,
    latest_at timestamptz not null,
    forecast_at timestamptz not null,
    scale_s double precision not null check (scale_s > 0),
    situation text not null check (situation in ('direct', 'before_pickup', 'behind_stops')),
    primary key (order_id, attempt, horizon_min)
);
create index arrival_scores_arrived_idx on arrival_scores (arrived_at);
