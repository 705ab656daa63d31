-- References to a row born here are given its record's id in every history, also where the object
-- they refer to has none: with the mapping itself, which every such row gets.
CREATE OR REPLACE FUNCTION clarify_sync.rename_history(table_name text, old_ids text[], ids text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  EXECUTE format(
      'WITH renamed AS (
         SELECT r.old_id, r.id, EXISTS (SELECT FROM clarify_history.%1$I AS k WHERE k.id = r.id) AS known
           FROM unnest($1, $2) AS r(old_id, id)
       ), ended AS (
         UPDATE clarify_history.%1$I AS h
            SET _valid_to = greatest(clock_timestamp(), h._valid_from + interval ''1 microsecond''),
                _ended_by = ''merge''
           FROM renamed AS r WHERE h.id = r.old_id AND r.known AND h._valid_to IS NULL
       )
       UPDATE clarify_history.%1$I AS h SET id = r.id
         FROM renamed AS r WHERE h.id = r.old_id AND NOT r.known', $1)
    USING $2, $3;
END $$;
--> statement-breakpoint
COMMENT ON FUNCTION clarify_sync.rename_history(text, text[], text[]) IS
  'Gives versions of rows born here the id of their record.';
--> statement-breakpoint
CREATE FUNCTION clarify_sync.rename_history_references() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  reference record;
BEGIN
  FOR reference IN
    SELECT m.table_name AS of_table, c.column_name, n.object
      FROM (SELECT DISTINCT object FROM new_rows WHERE reason <> 'merged' AND old_id LIKE 'local:%') AS n
      JOIN clarify_sync.mirror_column AS c
        ON c.kind = 'reference' AND c.definition -> 'relationship' ->> 'object' = n.object
      JOIN clarify_sync.mirror AS m ON m.object = c.object
      JOIN pg_attribute AS a
        ON a.attrelid = to_regclass(format('clarify_history.%I', m.table_name))
       AND a.attname = c.column_name AND NOT a.attisdropped AND a.atttypid = 'text'::regtype
  LOOP
    EXECUTE format(
        'UPDATE clarify_history.%1$I AS h SET %2$I = n.id FROM new_rows AS n
          WHERE n.object = $1 AND n.reason <> ''merged''
            AND h.%2$I = n.old_id AND h.%2$I LIKE ''local:%%''', reference.of_table, reference.column_name)
      USING reference.object;
  END LOOP;
  RETURN NULL;
END $$;
--> statement-breakpoint
COMMENT ON FUNCTION clarify_sync.rename_history_references() IS
  'Trigger: gives references to rows born here the id of their record, in every history.';
--> statement-breakpoint
REVOKE ALL ON FUNCTION clarify_sync.rename_history_references() FROM PUBLIC;
--> statement-breakpoint
CREATE TRIGGER rename_history_references AFTER INSERT ON clarify_sync.id_map
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT
  EXECUTE FUNCTION clarify_sync.rename_history_references();
