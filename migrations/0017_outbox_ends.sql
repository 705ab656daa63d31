UPDATE clarify_sync.outbox SET epoch = NULL WHERE state <> 'sending' AND epoch IS NOT NULL;--> statement-breakpoint
ALTER TABLE "clarify_sync"."outbox" DROP CONSTRAINT "outbox_sending_has_epoch";--> statement-breakpoint
ALTER TABLE "clarify_sync"."outbox" ADD CONSTRAINT "outbox_sending_has_epoch" CHECK (("clarify_sync"."outbox"."state" = 'sending') = ("clarify_sync"."outbox"."epoch" is not null));--> statement-breakpoint
-- A CHECK sees a row as it is to be, not as it was: this one transition takes a trigger. Its
-- condition is all that it costs a change that may be.
CREATE FUNCTION clarify_sync.keep_end() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'outbox_end_is_final',
    MESSAGE = format('outbox entry %s has ended %s and cannot become %s', OLD.id, OLD.state, NEW.state);
END $$;
--> statement-breakpoint
COMMENT ON FUNCTION clarify_sync.keep_end() IS
  'Trigger: an entry that has ended done, superseded or cancelled stays so.';
--> statement-breakpoint
CREATE TRIGGER outbox_end_is_final BEFORE UPDATE OF state ON clarify_sync.outbox
  FOR EACH ROW WHEN (OLD.state IN ('done', 'superseded', 'cancelled') AND NEW.state <> OLD.state)
  EXECUTE FUNCTION clarify_sync.keep_end();
--> statement-breakpoint
REVOKE ALL ON FUNCTION clarify_sync.keep_end() FROM PUBLIC;
