ALTER TABLE "clarify_sync"."installation" ADD COLUMN "crm" text;
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.installation.crm IS
  'Whose workspace it is, as CLARIFY_SYNC_CRM names it. Null until a version that knows several has started.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.installation.workspace IS 'The workspace that is mirrored here, as it is called there.';
