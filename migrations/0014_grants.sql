CREATE TABLE "clarify_sync"."grantee" (
	"role" text PRIMARY KEY NOT NULL,
	"level" text NOT NULL,
	"granted_at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "grantee_level" CHECK ("clarify_sync"."grantee"."level" in ('read', 'write'))
);
--> statement-breakpoint
COMMENT ON TABLE clarify_sync.grantee IS
  'Roles that the configuration grants rights to; what it grants no more is taken back from them.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.grantee.role IS 'The role, whether or not it exists.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.grantee.level IS 'read, or write, which includes it.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.grantee.granted_at IS 'When the configuration was first seen to name it.';
