-- An order that was reopened is handed over once more, and that can be far from its door, too.
-- A hand-over is still noticed once: a restart or a second instance finds it by the order and its time. The previous
-- version inserts with "on conflict do nothing", which fits either index.

drop index exceptions_delivered_far_key;
create unique index exceptions_delivered_far_key on exceptions (subject_id, since_at) where code = 'delivered_far';
