DROP INDEX "clarify_sync"."conflict_open";--> statement-breakpoint
ALTER TABLE "clarify_sync"."deferred" ALTER COLUMN "record" SET DATA TYPE json;--> statement-breakpoint
CREATE UNIQUE INDEX "conflict_open_once" ON "clarify_sync"."conflict" USING btree ("object","record_id","field") WHERE "clarify_sync"."conflict"."resolution" = 'open';