ALTER TABLE "clarify_sync"."sweep" ADD COLUMN "round_links" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.sweep.round_links IS 'Link tables of this object that the round reads.';
