-- Dispatchers' snapshot holds every order that is not over, however many were delivered before.
-- The previous version's code does not notice.
create index orders_not_over_idx on orders (id) where status not in ('delivered', 'returned', 'cancelled');
