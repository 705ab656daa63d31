-- A year before 1 or after 9999 has no form of four digits: 44 BC would have gone out as the year 44.
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
                WHEN a.attname IN ('_local_id', '_created_at', '_updated_at', '_created_by',
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
           -- Instants as Clarify writes them, whatever the writer's time zone.
           CASE WHEN stands = 'field' AND type = 'timestamp with time zone'
                THEN 'to_json(to_char(%s, ''YYYY-MM-DD"T"HH24:MI:SS.MS"Z"''))'
                ELSE 'to_json(%s)' END AS json
      FROM live WHERE stands <> 'own' OR $4 = 'DELETE'
  ), compared AS (
    SELECT *, format(json, format(plain, 'o', place)) AS old_json,
           format(json, format(plain, 'n', place)) AS new_json,
           CASE $4 WHEN 'INSERT' THEN format(plain, 'n', place) || ' IS NOT NULL'
                   WHEN 'DELETE' THEN format(plain, 'o', place) || ' IS NOT NULL'
                   ELSE format(plain, 'n', place) || ' IS DISTINCT FROM ' || format(plain, 'o', place)
            END AS changed,
           max(place) FILTER (WHERE stands = 'id') OVER () AS id_place,
           max(place) FILTER (WHERE name = '_extra') OVER () AS extra_place
      FROM placed
  ), judged AS (
    SELECT *,
           CASE WHEN $4 = 'DELETE' THEN NULL
                WHEN stands = 'id' AND $4 = 'INSERT' THEN format('n.c%s NOT LIKE ''local:%%''', place)
                WHEN name = '_local_id' AND $4 = 'INSERT' THEN format('n.c%s IS DISTINCT FROM n.c%s', place, id_place)
                WHEN stands <> 'field' THEN 'true'
                WHEN type = 'numeric' THEN format('(abs(n.c%1$s) >= 1e12 OR n.c%1$s <> round(n.c%1$s, 4))', place)
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
                ELSE format('%s takes a time in the years 1 to 9999, in UTC, as Clarify does; give one, or NULL', full_name)
            END AS reason,
           CASE stands WHEN 'id' THEN 'CS004' WHEN 'system' THEN 'CS003' WHEN 'removed' THEN 'CS006' ELSE 'CS005'
            END AS code,
           -- Text for concat(), which leaves out nulls: the value, or what stands for its absence.
           CASE $4 WHEN 'INSERT' THEN '''null'''
                -- What a column cannot hold is in _extra: that is what both sides last agreed on.
                WHEN 'UPDATE' THEN format('%s, CASE WHEN %s IS NULL THEN coalesce((o.c%s -> %L)::text, ''null'') END',
                  old_json, format(plain, 'o', place), extra_place, coalesce(field, name))
                ELSE old_json END AS base,
           CASE $4 WHEN 'DELETE' THEN '''null'''
                ELSE format('%s, CASE WHEN %s IS NULL THEN ''null'' END', new_json, format(plain, 'n', place)) END AS value
      FROM compared
  )
  SELECT place, name, role, changed,
         CASE role
           WHEN 'field' THEN format('CASE WHEN %s THEN concat(%L, %s, '',"value":'', %s, ''}'') END', changed,
             format(',%s:{"base":', to_json(coalesce(field, name))), base, value)
           WHEN 'rest' THEN format('CASE WHEN %s THEN concat(%L, %s) END', changed,
             format(',%s:', to_json(name)), old_json)
         END,
         changed || coalesce(' AND ' || offends, ''),
         CASE WHEN offends IS NOT NULL
              THEN format('concat(%L, quote_literal(n.c%s), '')'')', format('%s clarify-sync: %s (row ', code, reason), id_place)
         END
    FROM judged
$$;
