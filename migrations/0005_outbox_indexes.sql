DROP INDEX "clarify_sync"."outbox_due";--> statement-breakpoint
DROP INDEX "clarify_sync"."outbox_unsettled";--> statement-breakpoint
CREATE INDEX "outbox_due" ON "clarify_sync"."outbox" USING btree ("object","state","id") WHERE "clarify_sync"."outbox"."state" in ('pending', 'sending', 'parked');--> statement-breakpoint
CREATE INDEX "outbox_unsettled" ON "clarify_sync"."outbox" USING hash ("record_id") WHERE "clarify_sync"."outbox"."state" in ('pending', 'sending', 'parked');