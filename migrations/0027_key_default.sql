-- `local:` is the default of _key, and says that nobody gave one: a column that takes no NULL and has
-- no default is one that tools ask their users for.
CREATE OR REPLACE FUNCTION clarify_sync.keep_key() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  known text;
  stands boolean;
BEGIN
  IF NEW._key = 'local:' THEN
    NEW._key := NULL;
  END IF;
  -- Who brings a key brings the id a new row is born with; an upsert finds the row that has it.
  IF NEW._key LIKE 'local:%' AND NEW.id LIKE 'local:%' THEN
    NEW.id := NEW._key;
  END IF;
  IF NEW._key IS NULL THEN
    NEW._key := NEW.id;
  END IF;
  IF NEW.id NOT LIKE 'local:%' THEN
    RETURN NEW;
  END IF;
  IF NEW._local_id IS NULL THEN
    NEW._local_id := NEW.id;
  END IF;
  -- An id that was born here and has been pushed since stands for its record: an upsert by it must
  -- find that row, or it would create the record a second time. A row that has to keep the local
  -- one, since a user's foreign key refers to it, is meant as long as it stands.
  SELECT m.object INTO known
    FROM clarify_sync.mirror AS m JOIN clarify_sync.id_map AS i USING (object)
   WHERE m.table_name = TG_TABLE_NAME AND i.old_id = NEW.id;
  IF FOUND THEN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I WHERE id = $1)', TG_TABLE_SCHEMA, TG_TABLE_NAME)
      INTO stands USING NEW.id;
    IF NOT stands THEN
      NEW.id := clarify_sync.current_id(known, NEW.id);
      -- One that turned out to be a record there was has that record's key.
      EXECUTE format('SELECT coalesce((SELECT _key FROM %I.%I WHERE id = $1), $2)',
          TG_TABLE_SCHEMA, TG_TABLE_NAME) INTO NEW._key USING NEW.id, NEW._key;
    END IF;
  END IF;
  RETURN NEW;
END $$;
