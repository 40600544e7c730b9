-- Proof of delivery: what an order asks for at the door, and what was brought back.
-- Older code may go on inserting orders meanwhile: every new column has a default.

alter table orders
    add column proof_wanted text[] not null default '{}' check (proof_wanted <@ array['photo', 'signature', 'pin']),
    -- Argon2id of the four digits. They are derived from the tracking token, which is not kept either.
    add column pin_hash text,
    -- Tries since the first of the current window.
    add column pin_tries smallint not null default 0,
    add column pin_tried_from timestamptz;

create table proofs (
    -- Chosen by the phone, so that a repeat is recognised.
    id uuid primary key,
    order_id uuid not null references orders (id),
    courier_id uuid not null references couriers (id),
    kind text not null check (kind in ('photo', 'signature', 'pin')),
    -- By the phone's clock.
    taken_at timestamptz not null,
    received_at timestamptz not null,
    -- Who signed.
    name text check (char_length(name) between 1 and 100),
    -- Where the proof store has the picture; random, never part of an address.
    image_key text constraint proofs_image_key_key unique,
    media_type text,
    -- SHA-256 of what was sent, to tell a repeat from another proof under the same id.
    content_hash bytea not null check (octet_length(content_hash) = 32),
    check ((image_key is null) = (media_type is null))
);
create index proofs_order_id_idx on proofs (order_id, received_at);
create index proofs_received_at_idx on proofs (received_at);
