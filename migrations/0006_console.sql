-- The dispatcher's console: sessions that end when unused, search in orders, further tracking links, the log of looks.
--
-- The previous version's code goes on writing to sessions and orders without knowing the new columns: they have a
-- default or are generated. It does not look into tracking_links, so a link from there is unknown to its instances
-- until they are replaced.

alter table sessions add column last_used_at timestamptz not null default now();
create index sessions_user_id_idx on sessions (user_id);

-- Text as people search for it: small letters, without the marks that a foreign keyboard lacks. Written out because
-- lower() knows only ASCII under the C locale, and unaccent() is not immutable. What is typed goes through it, too.
create function search_fold(text) returns text language sql immutable strict parallel safe as $$
    select translate(lower($1),
        'ĦħĠġŻżĊċÀÁÂÃÄÅàáâãäåÈÉÊËèéêëÌÍÎÏìíîïÒÓÔÕÖòóôõöÙÚÛÜùúûüÑñÇçÝýÿŠšŽžČčĆćŁłŚśŃńĘęĄą',
        'hhggzzccaaaaaaaaaaaaeeeeeeeeiiiiiiiioooooooooouuuuuuuunnccyyysszzccccllssnneeaa')
$$;

-- A line for each field, so that no match reaches from one into the next. Phone numbers without what stands between
-- their digits.
alter table orders add column search_text text not null generated always as (
    search_fold(reference || E'\n' || customer_name || E'\n' || dropoff_address || E'\n' || pickup_address || E'\n'
        || regexp_replace(coalesce(customer_phone, ''), '[^0-9]', '', 'g'))
) stored;

-- Finds a piece of a word without reading every order. pg_trgm comes with Postgres itself and may be created by the
-- database's owner; where neither holds, search still works and reads the orders one by one.
do $$
begin
    create extension if not exists pg_trgm;
    create index orders_search_text_idx on orders using gin (search_text gin_trgm_ops);
exception when others then
    raise notice 'searching orders without an index: %', sqlerrm;
end
$$;

create index orders_status_idx on orders (status, created_at desc, id desc);
create index orders_courier_id_idx on orders (courier_id, created_at desc, id desc) where courier_id is not null;
-- Few orders are open at any time, however many there were.
create index orders_open_idx on orders (created_at desc, id desc)
    where status in ('created', 'assigned', 'at_pickup', 'picked_up', 'at_dropoff', 'failed');

-- Links of an order besides its first. The first stays in orders: it goes on working.
create table tracking_links (
    token_hash bytea primary key check (octet_length(token_hash) = 32),
    order_id uuid not null references orders (id),
    created_at timestamptz not null,
    -- 'user:…' or 'key:…'.
    created_by text not null
);
create index tracking_links_order_id_idx on tracking_links (order_id);

-- Who looked at where a courier or an order is. No coordinates, ever. Kept as long as fixes.
create table looks (
    id bigint generated always as identity primary key,
    looked_at timestamptz not null,
    -- 'user:…', 'key:…' or, for a gap, 'system'.
    actor text not null,
    what text not null
        check (what in ('couriers', 'courier', 'fixes', 'export', 'order', 'proof', 'fleet', 'gap')),
    -- The courier or the order; null for the whole fleet.
    subject_id uuid,
    address text,
    -- How many looks could not be written.
    lost bigint check (lost > 0),
    check ((what = 'gap') = (lost is not null))
);
create index looks_looked_at_idx on looks (looked_at);
create index looks_actor_idx on looks (actor, id desc);
create index looks_subject_id_idx on looks (subject_id, id desc) where subject_id is not null;
