CREATE TABLE "clarify_sync"."mirror_problem" (
	"object" text PRIMARY KEY NOT NULL,
	"code" text NOT NULL,
	"message" text NOT NULL,
	"hint" text,
	"stops" boolean NOT NULL,
	"noticed_at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "clarify_sync"."mirror" ADD COLUMN "relation" text;
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.mirror.relation IS
  'Names the table that was made, by ids of this database; a table that takes its place is left alone. Null until the first schema check.';
--> statement-breakpoint
COMMENT ON TABLE clarify_sync.mirror_problem IS
  'Objects and link tables that the last schema check could not bring up to the workspace.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.mirror_problem.object IS 'The object, or the link table.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.mirror_problem.code IS 'Why: a code of docs/errors.md.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.mirror_problem.message IS 'Why, in words.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.mirror_problem.hint IS 'What to do about it.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.mirror_problem.stops IS
  'Whether the table that stands is left alone: neither read into nor sent from. Otherwise it goes on as it was.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.mirror_problem.noticed_at IS 'Since when this is known.';
