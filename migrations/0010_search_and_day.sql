-- Finds orders by a piece of the customer's e-mail address. An index of its own: adding the address to search_text would
-- rewrite every order under a lock. Servers of the previous version do not use it.
do $$
begin
    create index orders_customer_email_idx on orders using gin (search_fold(customer_email) gin_trgm_ops);
exception when others then
    raise notice 'searching e-mail addresses without an index: %', sqlerrm;
end
$$;

-- A courier's day is counted from today's ends of orders, which are few next to all events.
create index order_events_ended_idx on order_events (happened_at)
    where status in ('delivered', 'failed', 'returned') or kind = 'goods_returned';
