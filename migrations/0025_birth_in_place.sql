-- A row born here may keep its local id although its record has another: a foreign key of a user's
-- refers to it. An upsert by the local id means that row, as long as it stands.
CREATE OR REPLACE FUNCTION clarify_sync.birth() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  known text;
  stands boolean;
BEGIN
  IF NEW._local_id IS NULL THEN
    NEW._local_id := NEW.id;
  END IF;
  SELECT m.object INTO known
    FROM clarify_sync.mirror AS m JOIN clarify_sync.id_map AS i USING (object)
   WHERE m.table_name = TG_TABLE_NAME AND i.old_id = NEW.id;
  IF FOUND THEN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I WHERE id = $1)', TG_TABLE_SCHEMA, TG_TABLE_NAME)
      INTO stands USING NEW.id;
    IF NOT stands THEN
      NEW.id := clarify_sync.current_id(known, NEW.id);
    END IF;
  END IF;
  RETURN NEW;
END $$;
