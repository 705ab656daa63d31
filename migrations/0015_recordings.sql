CREATE TABLE "clarify_sync"."meeting_recording" (
	"meeting_id" text NOT NULL,
	"recording_id" text NOT NULL,
	"transcript" text,
	"content_type" text,
	"fetched_at" timestamp with time zone,
	"error" text,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp with time zone DEFAULT now(),
	"noticed_at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "meeting_recording_meeting_id_recording_id_pk" PRIMARY KEY("meeting_id","recording_id"),
	CONSTRAINT "meeting_recording_fetched" CHECK (("clarify_sync"."meeting_recording"."transcript" is null) = ("clarify_sync"."meeting_recording"."fetched_at" is null))
);
--> statement-breakpoint
CREATE INDEX "meeting_recording_due" ON "clarify_sync"."meeting_recording" USING btree ("next_attempt_at") WHERE "clarify_sync"."meeting_recording"."next_attempt_at" is not null;--> statement-breakpoint
COMMENT ON TABLE clarify_sync.meeting_recording IS
  'Recordings of meetings and what was said in them: filled only where objects.meeting.recordings is true.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.meeting_recording.meeting_id IS 'The meeting''s id, as in clarify.meeting.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.meeting_recording.recording_id IS 'The recording''s id, as the meeting names it.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.meeting_recording.transcript IS 'What was said, as Clarify gives it: text, or JSON as text. Null until it was fetched.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.meeting_recording.content_type IS 'What kind of text it is, such as application/json.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.meeting_recording.fetched_at IS 'When the transcript was fetched.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.meeting_recording.error IS 'Why it was not fetched the last time: a code of docs/errors.md.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.meeting_recording.attempts IS 'How often it was tried in vain.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.meeting_recording.next_attempt_at IS 'When it is tried again; null once it is there, or given up.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.meeting_recording.noticed_at IS 'When a meeting first named it.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.run.kind IS
  'What was done: pull, backfill, reconcile, sweep, users or recordings. Of what is sent the outbox tells.';
