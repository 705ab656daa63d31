CREATE TABLE "clarify_sync"."hint" (
	"object" text NOT NULL,
	"id" text NOT NULL,
	"kind" text NOT NULL,
	"survivor" text,
	"events" bigint DEFAULT 1 NOT NULL,
	"looks" integer DEFAULT 0 NOT NULL,
	"noted_at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
	"due_at" timestamp with time zone NOT NULL,
	CONSTRAINT "hint_object_id_pk" PRIMARY KEY("object","id"),
	CONSTRAINT "hint_kind" CHECK ("clarify_sync"."hint"."kind" in ('changed', 'deleted', 'merged')),
	CONSTRAINT "hint_survivor" CHECK (("clarify_sync"."hint"."kind" = 'merged') = ("clarify_sync"."hint"."survivor" is not null))
);
--> statement-breakpoint
CREATE TABLE "clarify_sync"."hook" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"hook_id" text,
	"target_url" text,
	"secret" text,
	"state" text NOT NULL,
	"objects" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"made_at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
	"checked_at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "hook_only_one" CHECK ("clarify_sync"."hook"."only"),
	CONSTRAINT "hook_state" CHECK ("clarify_sync"."hook"."state" in ('active', 'degraded', 'inactive', 'forgotten')),
	CONSTRAINT "hook_forgotten" CHECK (("clarify_sync"."hook"."state" = 'forgotten') = ("clarify_sync"."hook"."secret" is null))
);
--> statement-breakpoint
CREATE INDEX "hint_due" ON "clarify_sync"."hint" USING btree ("due_at");--> statement-breakpoint
CREATE INDEX "outbox_done" ON "clarify_sync"."outbox" USING btree ("done_at") WHERE "clarify_sync"."outbox"."state" = 'done';--> statement-breakpoint
COMMENT ON TABLE clarify_sync.hook IS 'Where the CRM tells of changes by calls of its own, and what they are signed with.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.hook.only IS 'Always true: there is one row.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.hook.hook_id IS 'Its id in the CRM; null once it was taken away.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.hook.target_url IS 'The address that is called; null once it was taken away.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.hook.secret IS 'What calls are signed with. Readable by the owner alone.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.hook.state IS 'As the CRM last said: active, degraded or inactive; forgotten where doctor --forget-webhook took it away.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.hook.objects IS 'Mirrored objects by the name that calls have for them; calls about others are dropped.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.hook.made_at IS 'When it was made, or taken away.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.hook.checked_at IS 'When the CRM was last asked how it stands.';--> statement-breakpoint
COMMENT ON TABLE clarify_sync.hint IS 'Records that have to be read again: the CRM told of them, or what it showed was in doubt.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.hint.object IS 'The object of the record.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.hint.id IS 'Its id.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.hint.kind IS 'What was told: changed, deleted or merged. Never believed: the CRM is asked.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.hint.survivor IS 'The record it was merged into, where that was told.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.hint.events IS 'How often it was told.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.hint.looks IS 'How often it was read since it was last told of.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.hint.noted_at IS 'When it was last told of. Lists may show a change up to 30 seconds late.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.hint.due_at IS 'When it is read next.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.trouble.part IS 'What of it does not work: pull, push, sweep, reconcile, users, recordings or hints.';
