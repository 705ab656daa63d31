ALTER TABLE "clarify_sync"."mirror" ADD COLUMN "read_only_links" text[] DEFAULT '{}' NOT NULL;
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.mirror.read_only_links IS
  'Fields that list links which only Clarify writes: local writes to their link tables are refused.';
--> statement-breakpoint
-- Columns that only Clarify writes are refused like those of the synchronisation, and numbers by
-- what is promised of their own field.
CREATE OR REPLACE FUNCTION clarify_sync.captured_columns(
  relation oid, object text, label text, op text,
  OUT place integer, OUT name text, OUT role text, OUT changed text, OUT member text,
  OUT offends text, OUT offence text
) RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH live AS (
    SELECT a.attnum, a.attname::text AS name, c.field, format_type(a.atttypid, NULL) AS type,
           c.definition ->> 'scale' AS scale, c.definition ->> 'wholeDigits' AS whole_digits,
           CASE WHEN a.attname = 'id' THEN 'id'
                WHEN a.attname IN ('_local_id', '_key', '_created_at', '_updated_at', '_created_by',
                     '_updated_by', '_merged_ids', '_synced_at', '_extra') THEN 'system'
                WHEN c.field IS NULL THEN 'own'
                WHEN c.removed_at IS NOT NULL THEN 'removed'
                WHEN c.definition @> '{"readOnly": true}' THEN 'read-only'
                ELSE 'field' END AS stands
      FROM pg_attribute AS a
      LEFT JOIN clarify_sync.mirror_column AS c
        ON c.object = $2 AND c.column_name = a.attname AND c.kind <> 'references'
     WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  ), placed AS (
    SELECT *, row_number() OVER (ORDER BY attnum)::integer AS place, format('%s.%I', $3, name) AS full_name,
           CASE WHEN stands = 'id' OR $4 <> 'DELETE' THEN stands
                WHEN stands IN ('field', 'read-only') OR name = '_extra' THEN 'field'
                ELSE 'rest' END AS role,
           -- Nothing and an empty collection are equal, and so are both kinds of null.
           CASE type WHEN 'text[]' THEN 'nullif(%s.c%s, ''{}'')'
                     WHEN 'jsonb' THEN 'nullif(%s.c%s, ''null'')' ELSE '%s.c%s' END AS plain,
           -- Instants as Clarify writes them, whatever the writer's time zone; JSON that looks like
           -- what the outbox escapes is escaped itself.
           CASE WHEN stands NOT IN ('field', 'read-only') THEN 'to_json(%1$s)'
                WHEN type = 'timestamp with time zone'
                THEN 'to_json(to_char(%1$s, ''YYYY-MM-DD"T"HH24:MI:SS.MS"Z"''))'
                WHEN type = 'jsonb'
                THEN 'CASE WHEN %1$s ? ''$json'' THEN json_build_object(''$json'', (%1$s)::text) ELSE to_json(%1$s) END'
                ELSE 'to_json(%1$s)' END AS json,
           -- Many programs know instants to the millisecond and numbers as doubles. Who reads a row
           -- and writes all of it back has changed nothing by that.
           CASE WHEN type = 'timestamp with time zone'
                THEN ' AND date_trunc(''milliseconds'', n.c%1$s) IS DISTINCT FROM date_trunc(''milliseconds'', o.c%1$s)'
                WHEN name = '_extra' THEN ' AND NOT coalesce(clarify_sync.reads_alike(n.c%1$s, o.c%1$s), false)'
                ELSE '' END AS beyond
      FROM live WHERE stands <> 'own' OR $4 = 'DELETE'
  ), compared AS (
    SELECT *, format(json, format(plain, 'o', place)) AS old_json,
           format(json, format(plain, 'n', place)) AS new_json,
           CASE $4 WHEN 'INSERT' THEN format(plain, 'n', place) || ' IS NOT NULL'
                   WHEN 'DELETE' THEN format(plain, 'o', place) || ' IS NOT NULL'
                   ELSE format('(%s IS DISTINCT FROM %s%s)', format(plain, 'n', place), format(plain, 'o', place),
                     format(beyond, place))
            END AS changed,
           max(place) FILTER (WHERE stands = 'id') OVER () AS id_place,
           max(place) FILTER (WHERE name = '_extra') OVER () AS extra_place
      FROM placed
  ), judged AS (
    SELECT *,
           CASE WHEN $4 = 'DELETE' THEN NULL
                WHEN stands = 'id' AND $4 = 'INSERT' THEN format('n.c%s NOT LIKE ''local:%%''', place)
                WHEN name IN ('_local_id', '_key') AND $4 = 'INSERT' THEN format('n.c%s IS DISTINCT FROM n.c%s', place, id_place)
                WHEN stands <> 'field' THEN 'true'
                WHEN type = 'double precision' THEN format('n.c%s IN (''NaN'', ''Infinity'', ''-Infinity'')', place)
                WHEN type = 'numeric' THEN format('(%s%s)',
                    CASE WHEN whole_digits IS NULL THEN format('n.c%s IN (''NaN'', ''Infinity'', ''-Infinity'')', place)
                         ELSE format('abs(n.c%s) >= 1e%s', place, whole_digits) END,
                    CASE WHEN scale IS NOT NULL THEN format(' OR n.c%1$s <> round(n.c%1$s, %2$s)', place, scale) END)
                  -- What Clarify holds may go back as it is: the row was edited, and then again.
                  || CASE $4 WHEN 'UPDATE' THEN format(
                       ' AND to_jsonb(n.c%1$s) IS DISTINCT FROM o.c%2$s -> %3$L AND NOT EXISTS (
                           SELECT FROM clarify_sync.outbox AS w
                            WHERE w.object = %4$L AND w.record_id = o.c%5$s AND w.state IN (''pending'', ''sending'', ''parked'')
                              AND w.changes -> %3$L -> ''base'' = to_jsonb(n.c%1$s))',
                       place, extra_place, coalesce(field, name), $2, id_place) ELSE '' END
                WHEN type = 'text[]' THEN format(
                  'CASE WHEN array_ndims(n.c%1$s) > 1 THEN true ELSE array_position(n.c%1$s, NULL) IS NOT NULL END', place)
                WHEN type = 'jsonb' THEN format('jsonb_path_exists(n.c%1$s, ''strict $.**{1000}'')', place)
                WHEN type IN ('date', 'timestamp with time zone')
                THEN format('(n.c%1$s < ''0001-01-01'' OR n.c%1$s >= ''10000-01-01'')', place)
            END AS offends,
           CASE WHEN stands = 'id' AND $4 = 'INSERT' THEN format(
                  '%s has no such row to update, and a new row gets its id from Clarify; leave id out, or give local:<uuid>', $3)
                WHEN stands = 'id' THEN format('the id of a row of %s cannot be changed', $3)
                WHEN stands = 'system' THEN format('%s is kept by clarify-sync and cannot be written; leave it out', full_name)
                WHEN stands = 'removed' THEN format(
                  '%s belongs to a field that Clarify no longer has; the column keeps its last data and cannot be written', full_name)
                WHEN stands = 'read-only' THEN format(
                  '%s is written by Clarify alone, and read-only here; leave it out', full_name)
                WHEN type IN ('numeric', 'double precision') THEN format(
                  '%s takes %s, as Clarify does; %s', full_name,
                  CASE WHEN scale IS NULL AND whole_digits IS NULL THEN 'a number that is one' ELSE concat('at most ',
                    concat_ws(' and ', whole_digits || ' digits before the decimal point', scale ||
                      CASE WHEN whole_digits IS NULL THEN ' digits after the decimal point' ELSE ' after it' END)) END,
                  CASE WHEN scale IS NULL THEN 'give one, or NULL' ELSE 'round the value' END)
                WHEN type = 'text[]' THEN format(
                  '%s takes a plain list of texts, as Clarify does: no NULL in it, and no list', full_name)
                WHEN type = 'jsonb' THEN format('%s takes JSON of at most 1000 levels', full_name)
                ELSE format('%s takes a time in the years 1 to 9999, in UTC, as Clarify does; give one, or NULL', full_name)
            END AS reason,
           CASE stands WHEN 'id' THEN 'CS004' WHEN 'system' THEN 'CS003' WHEN 'removed' THEN 'CS006'
                       WHEN 'read-only' THEN 'CS011' ELSE 'CS005'
            END AS code,
           CASE WHEN stands <> 'field' THEN NULL
                WHEN type IN ('numeric', 'double precision') THEN CASE WHEN scale IS NULL
                  THEN 'Write a number; NULL clears the field.' ELSE format(
                  'A binary float has digits that nobody wrote: 1.1 arrives as 1.100000000000000088…; write round(value, %s), or pass decimals or text instead of floats.',
                  scale) END
                WHEN type = 'text[]'
                THEN 'array_remove(list, NULL) takes NULLs out; a list inside a list has to become one list.'
                WHEN type = 'jsonb' THEN 'Clarify takes no value that nests so deeply; flatten it.'
                ELSE 'Write a real day or instant; NULL clears the field.' END || chr(31) AS cure,
           -- Text that is never null: the value, or what stands for its absence.
           CASE $4 WHEN 'INSERT' THEN '''null'''
                -- What a column cannot hold is in _extra: that is what both sides last agreed on.
                WHEN 'UPDATE' THEN format('coalesce(%s::text, (o.c%s -> %L)::text, ''null'')',
                  old_json, extra_place, coalesce(field, name))
                ELSE old_json || '::text' END AS base,
           CASE $4 WHEN 'DELETE' THEN '''null'''
                ELSE format('coalesce(%s::text, ''null'')', new_json) END AS value
      FROM compared
  )
  SELECT place, name, role, changed,
         CASE role
           WHEN 'field' THEN format('CASE WHEN %s THEN %L || %s || '',"value":'' || %s || ''}'' END', changed,
             format(',%s:{"base":', to_json(coalesce(field, name))), base, value)
           WHEN 'rest' THEN format('CASE WHEN %s THEN %L || %s::text END', changed,
             format(',%s:', to_json(name)), old_json)
         END,
         changed || coalesce(' AND ' || offends, ''),
         CASE WHEN offends IS NOT NULL
              THEN format('concat(%L, quote_literal(n.c%s), '')'')', format('%s %sclarify-sync: %s (row ', code, cure, reason), id_place)
         END
    FROM judged
$$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION clarify_sync.capture_link() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
  source text;
  written boolean;
  push boolean;
  closed record;
  side record;
  missing text;
BEGIN
  IF clarify_sync.is_own_write() THEN
    RETURN NULL;
  END IF;
  IF TG_NARGS <> 5 THEN
    RAISE EXCEPTION USING ERRCODE = 'CS009', MESSAGE = format(
      'clarify-sync: %I.%I cannot be written before the service has brought it up to date; start it once',
      TG_TABLE_SCHEMA, TG_TABLE_NAME);
  END IF;
  -- A row that is updated is one link less and one more; one that stays as it is, neither.
  source := format(CASE TG_OP
    WHEN 'INSERT' THEN 'SELECT ''link'' AS op, %1$I AS here, %2$I AS there FROM new_rows'
    WHEN 'DELETE' THEN 'SELECT ''unlink'' AS op, %1$I AS here, %2$I AS there FROM old_rows'
    ELSE 'SELECT ''unlink'' AS op, g.* FROM (SELECT %1$I, %2$I FROM old_rows EXCEPT
                                            SELECT %1$I, %2$I FROM new_rows) AS g(here, there)
          UNION ALL
          SELECT ''link'', c.* FROM (SELECT %1$I, %2$I FROM new_rows EXCEPT
                                     SELECT %1$I, %2$I FROM old_rows) AS c(here, there)'
    END, TG_ARGV[2], TG_ARGV[4]);
  EXECUTE format('SELECT EXISTS (SELECT FROM (%s) AS w)', source) INTO written;
  IF NOT written THEN
    RETURN NULL;
  END IF;

  SELECT m.object, CASE WHEN m.removed_at IS NULL AND m.refusal IS NULL THEN 'CS011' ELSE 'CS002' END AS code,
         coalesce(m.refusal, CASE WHEN m.removed_at IS NULL THEN 'Clarify alone writes these links'
                                  ELSE 'Clarify no longer lists this object' END) AS reason
    INTO closed
    FROM clarify_sync.mirror AS m
   WHERE m.object IN (TG_ARGV[0], TG_ARGV[3])
     AND (m.removed_at IS NOT NULL OR m.refusal IS NOT NULL
          OR (m.object = TG_ARGV[0] AND TG_ARGV[1] = ANY(m.read_only_links)))
   ORDER BY code, m.object LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = closed.code, MESSAGE = format(
      'clarify-sync: %I.%I cannot be written here, for it links %s: %s',
      TG_TABLE_SCHEMA, TG_TABLE_NAME, closed.object, closed.reason);
  END IF;
  SELECT i.push INTO push FROM clarify_sync.installation AS i;
  IF push IS NOT TRUE THEN
    RAISE EXCEPTION USING ERRCODE = 'CS001', MESSAGE = format(
      'clarify-sync: push is off, so local writes to %I.%I are refused; set CLARIFY_SYNC_PUSH=on and restart',
      TG_TABLE_SCHEMA, TG_TABLE_NAME);
  END IF;

  FOR side IN
    SELECT m.object, m.table_name, s.name, s.column_name
      FROM (VALUES (TG_ARGV[0], 'here', TG_ARGV[2]), (TG_ARGV[3], 'there', TG_ARGV[4]))
           AS s(object, name, column_name)
      JOIN clarify_sync.mirror AS m USING (object)
     WHERE TG_OP <> 'DELETE'
  LOOP
    -- By an old id as well: the id a row was born with stands for it for ever.
    EXECUTE format(
        'SELECT min(w.%1$I) FROM (%2$s) AS w
          WHERE w.op = ''link''
            AND NOT EXISTS (SELECT FROM clarify.%3$I AS t WHERE t.id = w.%1$I)
            AND NOT EXISTS (SELECT FROM clarify.%3$I AS t
                             WHERE t.id = clarify_sync.current_id($1, w.%1$I))',
        side.name, source, side.table_name)
      INTO missing USING side.object;
    IF missing IS NOT NULL THEN
      RAISE EXCEPTION USING ERRCODE = 'CS009', MESSAGE = format(
        'clarify-sync: %I.%I links rows that are there: clarify.%I has none whose id is %L, given as %I',
        TG_TABLE_SCHEMA, TG_TABLE_NAME, side.table_name, missing, side.column_name);
    END IF;
  END LOOP;

  EXECUTE format(
      'INSERT INTO clarify_sync.outbox (object, record_id, op, changes)
       SELECT $1, h.id, w.op, jsonb_build_object($2, CASE w.op
                WHEN ''link'' THEN jsonb_build_object(''base'', NULL, ''value'', t.id)
                ELSE jsonb_build_object(''base'', t.id, ''value'', NULL) END)
         FROM (%s) AS w
        CROSS JOIN LATERAL (SELECT CASE WHEN EXISTS (
                SELECT FROM clarify_sync.id_map AS i WHERE i.object = $1 AND i.old_id = w.here)
                THEN clarify_sync.current_id($1, w.here) ELSE w.here END) AS h(id)
        CROSS JOIN LATERAL (SELECT CASE WHEN EXISTS (
                SELECT FROM clarify_sync.id_map AS i WHERE i.object = $3 AND i.old_id = w.there)
                THEN clarify_sync.current_id($3, w.there) ELSE w.there END) AS t(id)', source)
    USING TG_ARGV[0], TG_ARGV[1], TG_ARGV[3];
  PERFORM pg_notify('clarify_sync_outbox', TG_ARGV[0]);
  RETURN NULL;
END $$;
