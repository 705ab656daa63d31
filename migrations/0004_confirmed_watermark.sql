ALTER TABLE "clarify_sync"."cursor" ADD COLUMN "updated_moved_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "clarify_sync"."cursor" ADD COLUMN "updated_confirmed" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "clarify_sync"."cursor" ADD COLUMN "created_moved_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "clarify_sync"."cursor" ADD COLUMN "created_confirmed" boolean DEFAULT false NOT NULL;