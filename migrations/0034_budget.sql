CREATE TABLE "clarify_sync"."budget" (
	"name" text PRIMARY KEY NOT NULL,
	"most_requests" integer NOT NULL,
	"remaining" integer NOT NULL,
	"resets_at" timestamp with time zone NOT NULL,
	"told_at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "clarify_sync"."sweep" ADD COLUMN "due_at" timestamp with time zone;--> statement-breakpoint
COMMENT ON TABLE clarify_sync.budget IS 'What is left of the CRM''s budgets of requests, as its answers told the leader; only of those that tell when they are full again.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.budget.name IS 'Which requests count against it.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.budget.most_requests IS 'How many requests it allows until it is full again, of everybody who has a key.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.budget.remaining IS 'How many of them are left.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.budget.resets_at IS 'When it is full again.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.budget.told_at IS 'When it was written down.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.sweep.due_at IS 'When the next round begins, of an object whose changes are found by reading everything; else null.';
