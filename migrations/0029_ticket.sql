ALTER TABLE "clarify_sync"."outbox" ADD COLUMN "ticket" text;--> statement-breakpoint
ALTER TABLE "clarify_sync"."outbox" ADD CONSTRAINT "outbox_ticket_is_out" CHECK ("clarify_sync"."outbox"."ticket" is null or "clarify_sync"."outbox"."state" not in ('pending', 'parked'));--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.outbox.ticket IS
  'The job that carries this entry, where the CRM takes changes in jobs: its ticket, or unanswered: and a UUID from before the job is handed over until its ticket is known. Set only while the entry is sending, and kept once it has ended.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.outbox.sent IS
  'What was sent, to recognise a create whose answer was lost, and to see what a job has kept.';
