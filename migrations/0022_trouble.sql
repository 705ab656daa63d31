CREATE TABLE "clarify_sync"."trouble" (
	"object" text NOT NULL,
	"part" text NOT NULL,
	"code" text NOT NULL,
	"message" text NOT NULL,
	"hint" text,
	"since" timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
	"attempts" integer DEFAULT 1 NOT NULL,
	"next_attempt_at" timestamp with time zone NOT NULL,
	CONSTRAINT "trouble_object_part_pk" PRIMARY KEY("object","part")
);
--> statement-breakpoint
COMMENT ON TABLE clarify_sync.trouble IS
  'What keeps an object from being read, sent or compared: it is tried again, and everything else goes on.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.trouble.object IS 'The object in trouble.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.trouble.part IS 'What of it does not work: pull, push, sweep, reconcile, users or recordings.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.trouble.code IS 'Why: a code of docs/errors.md.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.trouble.message IS 'The same in words; names, and no value of any record.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.trouble.hint IS 'What to do about it; null where it passes by itself.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.trouble.since IS 'When it failed first.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.trouble.attempts IS 'How often it has failed since.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.trouble.next_attempt_at IS 'When it is tried again: after seconds at first, after three minutes at most.';
