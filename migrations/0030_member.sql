CREATE TABLE "clarify_sync"."member" (
	"process" text PRIMARY KEY NOT NULL,
	"leads" integer NOT NULL,
	"opening" integer NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"joined_at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
--> statement-breakpoint
COMMENT ON TABLE clarify_sync.member IS
  'Processes of a fleet that are able to lead this workspace. All times are the database''s.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.member.process IS 'The process, as clarify_sync.lease names it.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.member.leads IS 'How many workspaces it leads, this one and others.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.member.opening IS
  'How many of them it has not got going yet: it is given no more than it can start in a few seconds.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.member.expires_at IS
  'From then on it counts as dead; it says every two seconds that it is not.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.member.joined_at IS 'When it said so first.';
--> statement-breakpoint
-- What a process says and asks of one workspace every two seconds, as a function: it is called for
-- many workspaces in one statement, and a statement that spelt it out for each would take longer to
-- plan than to run. It waits for nobody's row: a lease that somebody is just taking is not renewed,
-- and the caller asks again. Safe to repeat.
CREATE FUNCTION clarify_sync.beat(
  p_process text, p_lasts_ms integer, p_able boolean, p_leads integer, p_opening integer, p_held bigint
) RETURNS TABLE (
  renewed boolean, holder text, epoch bigint, expires_at timestamptz, left_ms double precision, members jsonb
)
LANGUAGE plpgsql
AS $$
DECLARE
  until timestamptz := clock_timestamp() + p_lasts_ms * interval '1 millisecond';
BEGIN
  IF p_able THEN
    INSERT INTO clarify_sync.member AS m (process, leads, opening, expires_at)
    VALUES (p_process, p_leads, p_opening, until)
    ON CONFLICT ON CONSTRAINT member_pkey DO UPDATE
      SET leads = EXCLUDED.leads, opening = EXCLUDED.opening, expires_at = EXCLUDED.expires_at;
  ELSE
    DELETE FROM clarify_sync.member m WHERE m.process = p_process;
  END IF;
  renewed := false;
  IF p_held IS NOT NULL THEN
    PERFORM FROM clarify_sync.lease l
      WHERE l.name = 'leader' AND l.epoch = p_held AND l.expires_at > clock_timestamp()
      FOR NO KEY UPDATE SKIP LOCKED;
    IF FOUND THEN
      UPDATE clarify_sync.lease l SET expires_at = until WHERE l.name = 'leader';
      renewed := true;
    END IF;
  END IF;
  SELECT l.holder, l.epoch, l.expires_at,
         extract(epoch FROM l.expires_at - clock_timestamp())::float8 * 1000
    INTO holder, epoch, expires_at, left_ms
    FROM clarify_sync.lease l WHERE l.name = 'leader' AND l.expires_at > '-infinity';
  SELECT jsonb_agg(jsonb_build_object(
           'process', m.process, 'leads', m.leads, 'opening', m.opening, 'expiresAt', m.expires_at,
           'leftMs', round(extract(epoch FROM m.expires_at - clock_timestamp()) * 1000)::bigint
         ) ORDER BY m.process)
    INTO members
    FROM clarify_sync.member m WHERE m.expires_at > clock_timestamp();
  RETURN NEXT;
END
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION clarify_sync.beat FROM PUBLIC;
