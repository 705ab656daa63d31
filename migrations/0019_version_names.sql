-- Versions of what was born here are given the ids that Clarify knows by a statement of its own, as
-- rows are: it skips what a user's open transaction holds, and takes what was skipped next time.
-- A row that was deleted here before its create was answered has only versions left.
DROP TRIGGER rename_history_references ON clarify_sync.id_map;
--> statement-breakpoint
DROP FUNCTION clarify_sync.rename_history_references();
--> statement-breakpoint
CREATE FUNCTION clarify_sync.name_versions(of_object text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  named text := (SELECT m.table_name FROM clarify_sync.mirror AS m WHERE m.object = of_object);
  reference record;
BEGIN
  IF named IS NULL OR to_regclass(format('clarify_history.%I', named)) IS NULL THEN
    RETURN;
  END IF;
  -- Where the record had a line of versions of its own at the time, that one goes on.
  EXECUTE format(
      'WITH left_over AS MATERIALIZED (
         SELECT h.id AS old_id, h._valid_from, m.id,
                EXISTS (SELECT FROM clarify_history.%1$I AS k
                         WHERE k.id = m.id AND (k._valid_to > h._valid_from OR k._valid_to IS NULL)
                           AND (k._valid_from < h._valid_to OR h._valid_to IS NULL)) AS known
           FROM clarify_history.%1$I AS h
           JOIN clarify_sync.id_map AS m ON m.object = $1 AND m.old_id = h.id AND m.reason <> ''merged''
          WHERE h.id LIKE ''local:%%'' AND NOT EXISTS (SELECT FROM clarify.%1$I AS t WHERE t.id = h.id)
          ORDER BY h.id, h._valid_from FOR UPDATE OF h SKIP LOCKED
       ), beside AS (
         SELECT old_id, max(_valid_from) AS _valid_from FROM left_over GROUP BY old_id HAVING bool_or(known)
       ), ended AS (
         UPDATE clarify_history.%1$I AS h SET _ended_by = ''merge''
           FROM beside AS b
          WHERE h.id = b.old_id AND h._valid_from = b._valid_from AND h._ended_by <> ''merge''
       )
       UPDATE clarify_history.%1$I AS h SET id = l.id
         FROM left_over AS l
        WHERE h.id = l.old_id AND h._valid_from = l._valid_from
          AND l.old_id NOT IN (SELECT b.old_id FROM beside AS b)', named)
    USING of_object;
  FOR reference IN
    SELECT c.column_name, c.definition -> 'relationship' ->> 'object' AS object
      FROM clarify_sync.mirror_column AS c
      JOIN pg_attribute AS a
        ON a.attrelid = to_regclass(format('clarify_history.%I', named))
       AND a.attname = c.column_name AND NOT a.attisdropped AND a.atttypid = 'text'::regtype
     WHERE c.object = of_object AND c.kind = 'reference'
  LOOP
    EXECUTE format(
        'UPDATE clarify_history.%1$I AS h SET %2$I = n.to_id
           FROM (SELECT r.id, r._valid_from, m.id AS to_id
                   FROM clarify_history.%1$I AS r
                   JOIN clarify_sync.id_map AS m ON m.object = $1 AND m.old_id = r.%2$I AND m.reason <> ''merged''
                  WHERE r.%2$I LIKE ''local:%%''
                  ORDER BY r.id, r._valid_from FOR UPDATE OF r SKIP LOCKED) AS n
          WHERE h.id = n.id AND h._valid_from = n._valid_from', named, reference.column_name)
      USING reference.object;
  END LOOP;
END $$;
--> statement-breakpoint
COMMENT ON FUNCTION clarify_sync.name_versions(text) IS
  'Gives versions of rows born here, and references to such rows, the id of their record.';
--> statement-breakpoint
REVOKE ALL ON FUNCTION clarify_sync.name_versions(text) FROM PUBLIC;
--> statement-breakpoint
-- Histories that are made from now on have it from the start.
DO $$
DECLARE
  named text;
BEGIN
  FOR named IN
    SELECT m.table_name FROM clarify_sync.mirror AS m
     WHERE to_regclass(format('clarify_history.%I', m.table_name)) IS NOT NULL
  LOOP
    EXECUTE format('CREATE INDEX ON clarify_history.%I (_valid_from) WHERE id LIKE ''local:%%''', named);
  END LOOP;
END $$;
