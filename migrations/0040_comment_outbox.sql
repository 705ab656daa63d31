CREATE TABLE "clarify_sync"."comment_outbox" (
	"id" text PRIMARY KEY NOT NULL,
	"object" text NOT NULL,
	"record_id" text NOT NULL,
	"message" jsonb NOT NULL,
	"state" text DEFAULT 'pending' NOT NULL,
	"epoch" bigint,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
	"last_error" text,
	"written_by" text DEFAULT session_user NOT NULL,
	"created_at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
	"done_at" timestamp with time zone,
	CONSTRAINT "comment_outbox_state" CHECK ("clarify_sync"."comment_outbox"."state" in ('pending', 'sending', 'parked', 'done')),
	CONSTRAINT "comment_outbox_epoch" CHECK (("clarify_sync"."comment_outbox"."state" = 'sending') = ("clarify_sync"."comment_outbox"."epoch" is not null)),
	CONSTRAINT "comment_outbox_reason" CHECK ("clarify_sync"."comment_outbox"."state" <> 'parked' or "clarify_sync"."comment_outbox"."last_error" is not null),
	CONSTRAINT "comment_outbox_end" CHECK (("clarify_sync"."comment_outbox"."state" = 'done') = ("clarify_sync"."comment_outbox"."done_at" is not null))
);
--> statement-breakpoint
CREATE INDEX "comment_outbox_due" ON "clarify_sync"."comment_outbox" USING btree ("next_attempt_at") WHERE "clarify_sync"."comment_outbox"."state" in ('pending', 'sending');--> statement-breakpoint
CREATE INDEX "comment_outbox_record" ON "clarify_sync"."comment_outbox" USING btree ("object","record_id");--> statement-breakpoint
COMMENT ON TABLE clarify_sync.comment_outbox IS 'Comments written here: those that wait to be sent, those that were refused, and for a while those that were delivered.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.comment_outbox.id IS 'The id of the row, and of the comment in the CRM: sent again, it is the same comment.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.comment_outbox.object IS 'The object of the record.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.comment_outbox.record_id IS 'The record. One that was born here is waited for.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.comment_outbox.message IS 'What it says, as it is sent: a list of blocks of text.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.comment_outbox.state IS 'pending: was not sent, or did not arrive; sending: may have arrived, and is sent again until that is known; parked: refused; done: delivered.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.comment_outbox.epoch IS 'The epoch of the leader that sends it.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.comment_outbox.attempts IS 'How often it was taken up.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.comment_outbox.next_attempt_at IS 'Not before then.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.comment_outbox.last_error IS 'Why it was not delivered: a code of docs/errors.md, and the server''s reason.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.comment_outbox.written_by IS 'The role that wrote it.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.comment_outbox.created_at IS 'When it was written.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.comment_outbox.done_at IS 'When it was known to be delivered.';--> statement-breakpoint
CREATE FUNCTION clarify_sync.comment_text(fields jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT string_agg(coalesce(l.line, ''), E'\n' ORDER BY b.n)
    FROM jsonb_array_elements(CASE jsonb_typeof(fields -> 'message') WHEN 'array' THEN fields -> 'message' END)
         WITH ORDINALITY AS b(block, n)
   CROSS JOIN LATERAL (
         SELECT string_agg(p.part #>> '{}', '' ORDER BY p.m) AS line
           FROM jsonb_path_query(b.block, 'strict $.**.text') WITH ORDINALITY AS p(part, m)
          WHERE jsonb_typeof(p.part) = 'string') AS l
$$;
--> statement-breakpoint
COMMENT ON FUNCTION clarify_sync.comment_text(jsonb) IS
  'What a comment says as plain text, a line for each block.';
--> statement-breakpoint
CREATE FUNCTION clarify_sync.comment_statement() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF clarify_sync.is_own_write() THEN
    RETURN NULL;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    RAISE EXCEPTION USING ERRCODE = 'CS002', MESSAGE = format(
      'clarify-sync: rows of %I.%I cannot be changed here; one that was not sent yet can be deleted and written anew',
      TG_TABLE_SCHEMA, TG_TABLE_NAME);
  END IF;
  IF TG_OP = 'INSERT' AND NOT EXISTS (SELECT FROM clarify_sync.installation AS i WHERE i.push) THEN
    RAISE EXCEPTION USING ERRCODE = 'CS002', MESSAGE = format(
      'clarify-sync: %I.%I cannot be written here while push is off; set CLARIFY_SYNC_PUSH=on and restart',
      TG_TABLE_SCHEMA, TG_TABLE_NAME);
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
COMMENT ON FUNCTION clarify_sync.comment_statement() IS
  'Trigger: refuses changes of comments, and where push is off new ones (SQLSTATE CS002).';
--> statement-breakpoint
CREATE FUNCTION clarify_sync.comment_row() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  label text := format('%I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME);
  mirrored record;
  known boolean;
BEGIN
  IF clarify_sync.is_own_write() THEN
    NEW.text := clarify_sync.comment_text(NEW.fields);
    RETURN NEW;
  END IF;
  SELECT m.table_name, coalesce(m.refusal, CASE WHEN m.removed_at IS NOT NULL
           THEN 'Clarify no longer lists this object' END) AS refusal
    INTO mirrored
    FROM clarify_sync.mirror AS m WHERE m.object = NEW.object;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'CS009', MESSAGE = format(
      'clarify-sync: %s tells of records that are there: no object is called %L', label, NEW.object);
  END IF;
  IF mirrored.refusal IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'CS002', MESSAGE = format(
      'clarify-sync: %s cannot be written here for %s: %s', label, NEW.object, mirrored.refusal);
  END IF;
  IF NEW.id IS NULL OR NEW.id !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
    RAISE EXCEPTION USING ERRCODE = 'CS004', MESSAGE = format(
      'clarify-sync: the id of a row of %s is a UUID; leave id out, or give one', label);
  END IF;
  IF NEW.fields IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'CS003', MESSAGE = format(
      'clarify-sync: %s.fields is kept by clarify-sync and cannot be written; write text', label);
  END IF;
  IF coalesce(btrim(NEW.text, E' \t\r\n'), '') = '' THEN
    RAISE EXCEPTION USING ERRCODE = 'CS005', MESSAGE = format(
      'clarify-sync: %s.text takes what the comment says, and that is nothing', label);
  END IF;
  NEW.id := lower(NEW.id);
  NEW.record_id := clarify_sync.current_id(NEW.object, NEW.record_id);
  EXECUTE format('SELECT EXISTS (SELECT FROM clarify.%I AS t WHERE t.id = $1)', mirrored.table_name)
    INTO known USING NEW.record_id;
  IF NOT known THEN
    RAISE EXCEPTION USING ERRCODE = 'CS009', MESSAGE = format(
      'clarify-sync: %s tells of records that are there: clarify.%I has none whose id is %L',
      label, mirrored.table_name, NEW.record_id);
  END IF;
  NEW._synced_at := clock_timestamp();
  -- A paragraph for each line.
  NEW.fields := jsonb_build_object('message', (
    SELECT jsonb_agg(jsonb_build_object('type', 'paragraph', 'content', CASE l.line WHEN '' THEN '[]'::jsonb
             ELSE jsonb_build_array(jsonb_build_object('type', 'text', 'text', l.line)) END) ORDER BY l.n)
      FROM regexp_split_to_table(NEW.text, E'\r?\n') WITH ORDINALITY AS l(line, n)));
  RETURN NEW;
END $$;
--> statement-breakpoint
COMMENT ON FUNCTION clarify_sync.comment_row() IS
  'Trigger: makes of the text of a new comment what is sent, and the other way round of one that was read.';
--> statement-breakpoint
CREATE FUNCTION clarify_sync.comment_insert() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF clarify_sync.is_own_write() THEN
    RETURN NULL;
  END IF;
  INSERT INTO clarify_sync.comment_outbox (id, object, record_id, message)
  SELECT n.id, n.object, n.record_id, n.fields -> 'message' FROM new_rows AS n;
  IF FOUND THEN
    PERFORM pg_notify('clarify_sync_outbox', '');
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
COMMENT ON FUNCTION clarify_sync.comment_insert() IS
  'Trigger: what is to be sent of new comments.';
--> statement-breakpoint
CREATE FUNCTION clarify_sync.comment_delete() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  kept bigint;
BEGIN
  IF clarify_sync.is_own_write() THEN
    RETURN NULL;
  END IF;
  WITH cancelled AS (
    DELETE FROM clarify_sync.comment_outbox AS e USING old_rows AS o
     WHERE e.id = o.id AND e.object = o.object AND e.record_id = o.record_id AND e.state IN ('pending', 'parked')
    RETURNING 1
  )
  SELECT (SELECT count(*) FROM old_rows) - count(*) INTO kept FROM cancelled;
  IF kept > 0 THEN
    RAISE EXCEPTION USING ERRCODE = 'CS002', MESSAGE = format(
      'clarify-sync: %I.%I shows what Clarify has: only comments that were not sent yet, or refused, can be deleted here',
      TG_TABLE_SCHEMA, TG_TABLE_NAME);
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
COMMENT ON FUNCTION clarify_sync.comment_delete() IS
  'Trigger: a comment that was not sent yet is not to be sent; any other is not deleted here (SQLSTATE CS002).';
--> statement-breakpoint
REVOKE ALL ON FUNCTION clarify_sync.comment_text(jsonb), clarify_sync.comment_statement(), clarify_sync.comment_row(),
  clarify_sync.comment_insert(), clarify_sync.comment_delete() FROM PUBLIC;
