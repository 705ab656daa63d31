-- What is in flight or waits is gone again before anybody counts it. Of a service at rest the planner learns that
-- there is no such entry, and compares a bulk change that comes next with itself, row by row. Nobody counts these
-- two any more.
ALTER TABLE clarify_sync.outbox ALTER COLUMN state SET STATISTICS 0, ALTER COLUMN epoch SET STATISTICS 0;
--> statement-breakpoint
-- Taking on the type they have is what forgets what was counted. A view, policy or trigger of somebody else's that
-- reads these columns is no reason not to start: then only what was counted stays.
DO $$
BEGIN
  DROP TRIGGER outbox_end_is_final ON clarify_sync.outbox;
  ALTER TABLE clarify_sync.outbox ALTER COLUMN state TYPE text, ALTER COLUMN epoch TYPE bigint;
  CREATE TRIGGER outbox_end_is_final BEFORE UPDATE OF state ON clarify_sync.outbox
    FOR EACH ROW WHEN (OLD.state IN ('done', 'superseded', 'cancelled') AND NEW.state <> OLD.state)
    EXECUTE FUNCTION clarify_sync.keep_end();
EXCEPTION WHEN feature_not_supported THEN
  NULL;
END $$;
