-- A key for life: programs that keep one find their row by it, whatever id Clarify gives it.
CREATE FUNCTION clarify_sync.keep_key() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  known text;
  stands boolean;
BEGIN
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
    END IF;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
COMMENT ON FUNCTION clarify_sync.keep_key() IS
  'Trigger: keeps the id a row is born with as its key, and resolves one whose record exists by now.';
--> statement-breakpoint
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
           CASE WHEN a.attname = 'id' THEN 'id'
                WHEN a.attname IN ('_local_id', '_key', '_created_at', '_updated_at', '_created_by',
                     '_updated_by', '_merged_ids', '_synced_at', '_extra') THEN 'system'
                WHEN c.field IS NULL THEN 'own'
                WHEN c.removed_at IS NOT NULL THEN 'removed'
                ELSE 'field' END AS stands
      FROM pg_attribute AS a
      LEFT JOIN clarify_sync.mirror_column AS c
        ON c.object = $2 AND c.column_name = a.attname AND c.kind <> 'references'
     WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  ), placed AS (
    SELECT *, row_number() OVER (ORDER BY attnum)::integer AS place, format('%s.%I', $3, name) AS full_name,
           CASE WHEN stands = 'id' OR $4 <> 'DELETE' THEN stands
                WHEN stands = 'field' OR name = '_extra' THEN 'field'
                ELSE 'rest' END AS role,
           -- Nothing and an empty collection are equal, and so are both kinds of null.
           CASE type WHEN 'text[]' THEN 'nullif(%s.c%s, ''{}'')'
                     WHEN 'jsonb' THEN 'nullif(%s.c%s, ''null'')' ELSE '%s.c%s' END AS plain,
           -- Instants as Clarify writes them, whatever the writer's time zone; JSON that looks like
           -- what the outbox escapes is escaped itself.
           CASE WHEN stands <> 'field' THEN 'to_json(%1$s)'
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
                WHEN type = 'numeric' THEN format('(abs(n.c%1$s) >= 1e12 OR n.c%1$s <> round(n.c%1$s, 4))', place)
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
                WHEN type = 'numeric' THEN format(
                  '%s takes at most 12 digits before the decimal point and 4 after it, as Clarify does; round the value', full_name)
                WHEN type = 'text[]' THEN format(
                  '%s takes a plain list of texts, as Clarify does: no NULL in it, and no list', full_name)
                WHEN type = 'jsonb' THEN format('%s takes JSON of at most 1000 levels', full_name)
                ELSE format('%s takes a time in the years 1 to 9999, in UTC, as Clarify does; give one, or NULL', full_name)
            END AS reason,
           CASE stands WHEN 'id' THEN 'CS004' WHEN 'system' THEN 'CS003' WHEN 'removed' THEN 'CS006' ELSE 'CS005'
            END AS code,
           CASE WHEN stands <> 'field' THEN NULL
                WHEN type = 'numeric'
                THEN 'A binary float has digits that nobody wrote: 1.1 arrives as 1.100000000000000088…; write round(value, 4), or pass decimals or text instead of floats.'
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
