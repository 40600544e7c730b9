-- API keys that end: at a time that was set, when somebody takes them back, or when they get another secret.
--
-- Servers of the previous version go on working, because every new column may be null. They know nothing of expires_at,
-- know only the newest secret of a key, and find out twice a minute that a key was taken back.

alter table api_keys
    -- From then on it opens nothing.
    add column expires_at timestamptz,
    -- When it last opened something, to the minute.
    add column last_used_at timestamptz,
    -- 'user:…'; null when the command line made it.
    add column created_by text,
    -- The secret before the newest, and until when both work.
    add column former_token_hash bytea constraint api_keys_former_token_hash_key unique
        check (octet_length(former_token_hash) = 32),
    add column former_until timestamptz,
    add constraint api_keys_former_check check ((former_token_hash is null) = (former_until is null));
