CREATE SCHEMA "clarify_sync";
--> statement-breakpoint
CREATE TABLE "clarify_sync"."conflict" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "clarify_sync"."conflict_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"object" text NOT NULL,
	"record_id" text NOT NULL,
	"field" text NOT NULL,
	"base" jsonb,
	"local" jsonb,
	"remote" jsonb,
	"remote_by" text,
	"policy" text NOT NULL,
	"resolution" text NOT NULL,
	"certain" boolean NOT NULL,
	"detected_at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
	"resolved_at" timestamp with time zone,
	"resolved_by" text,
	CONSTRAINT "conflict_policy" CHECK ("clarify_sync"."conflict"."policy" in ('newest', 'remote', 'local', 'manual', 'deleted')),
	CONSTRAINT "conflict_resolution" CHECK ("clarify_sync"."conflict"."resolution" in ('local', 'remote', 'merged', 'open')),
	CONSTRAINT "conflict_open_unresolved" CHECK (("clarify_sync"."conflict"."resolution" = 'open') = ("clarify_sync"."conflict"."resolved_at" is null))
);
--> statement-breakpoint
CREATE TABLE "clarify_sync"."cursor" (
	"object" text PRIMARY KEY NOT NULL,
	"phase" text DEFAULT 'backfill' NOT NULL,
	"updated_watermark" timestamp with time zone,
	"created_watermark" timestamp with time zone,
	"deleted_watermark" timestamp with time zone,
	"stamping" text DEFAULT 'unknown' NOT NULL,
	"backfill" jsonb,
	"version" bigint DEFAULT 0 NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "cursor_phase" CHECK ("clarify_sync"."cursor"."phase" in ('backfill', 'incremental')),
	CONSTRAINT "cursor_stamping" CHECK ("clarify_sync"."cursor"."stamping" in ('unknown', 'always', 'after_edit'))
);
--> statement-breakpoint
CREATE TABLE "clarify_sync"."deferred" (
	"object" text NOT NULL,
	"id" text NOT NULL,
	"record" jsonb NOT NULL,
	"read_at" timestamp with time zone NOT NULL,
	"noticed_at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "deferred_object_id_pk" PRIMARY KEY("object","id")
);
--> statement-breakpoint
CREATE TABLE "clarify_sync"."id_map" (
	"object" text NOT NULL,
	"old_id" text NOT NULL,
	"id" text NOT NULL,
	"reason" text NOT NULL,
	"mapped_at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "id_map_object_old_id_pk" PRIMARY KEY("object","old_id"),
	CONSTRAINT "id_map_reason" CHECK ("clarify_sync"."id_map"."reason" in ('pushed', 'adopted', 'merged'))
);
--> statement-breakpoint
CREATE TABLE "clarify_sync"."installation" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"id" uuid DEFAULT gen_random_uuid() NOT NULL,
	"workspace" text NOT NULL,
	"fingerprint" text NOT NULL,
	"writer_secret" text DEFAULT gen_random_uuid()::text NOT NULL,
	"push" boolean DEFAULT false NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"adopted_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "installation_only_one" CHECK ("clarify_sync"."installation"."only")
);
--> statement-breakpoint
CREATE TABLE "clarify_sync"."lease" (
	"name" text PRIMARY KEY NOT NULL,
	"holder" text,
	"epoch" bigint NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"acquired_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "clarify_sync"."mirror" (
	"object" text PRIMARY KEY NOT NULL,
	"table_name" text NOT NULL,
	"label_singular" text NOT NULL,
	"label_plural" text NOT NULL,
	"identity" text,
	"refusal" text,
	"delete_policy" text DEFAULT 'push' NOT NULL,
	"removed_at" timestamp with time zone,
	CONSTRAINT "mirror_table_name_unique" UNIQUE("table_name")
);
--> statement-breakpoint
CREATE TABLE "clarify_sync"."mirror_column" (
	"object" text NOT NULL,
	"field" text NOT NULL,
	"column_name" text NOT NULL,
	"kind" text NOT NULL,
	"definition" jsonb NOT NULL,
	"position" integer NOT NULL,
	"removed_at" timestamp with time zone,
	CONSTRAINT "mirror_column_object_field_pk" PRIMARY KEY("object","field")
);
--> statement-breakpoint
CREATE TABLE "clarify_sync"."outbox" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "clarify_sync"."outbox_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"object" text NOT NULL,
	"record_id" text NOT NULL,
	"op" text NOT NULL,
	"changes" jsonb NOT NULL,
	"state" text DEFAULT 'pending' NOT NULL,
	"sent" jsonb,
	"blocked_by" bigint,
	"epoch" bigint,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_error" text,
	"written_by" text DEFAULT session_user NOT NULL,
	"created_at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
	"sent_at" timestamp with time zone,
	"done_at" timestamp with time zone,
	CONSTRAINT "outbox_op" CHECK ("clarify_sync"."outbox"."op" in ('insert', 'update', 'delete', 'link', 'unlink')),
	CONSTRAINT "outbox_state" CHECK ("clarify_sync"."outbox"."state" in ('pending', 'sending', 'done', 'parked', 'superseded', 'cancelled')),
	CONSTRAINT "outbox_sending_has_epoch" CHECK ("clarify_sync"."outbox"."state" <> 'sending' or "clarify_sync"."outbox"."epoch" is not null),
	CONSTRAINT "outbox_settled_has_time" CHECK (("clarify_sync"."outbox"."state" in ('done', 'superseded', 'cancelled')) = ("clarify_sync"."outbox"."done_at" is not null)),
	CONSTRAINT "outbox_parked_has_reason" CHECK ("clarify_sync"."outbox"."state" <> 'parked' or "clarify_sync"."outbox"."last_error" is not null)
);
--> statement-breakpoint
CREATE TABLE "clarify_sync"."run" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "clarify_sync"."run_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"kind" text NOT NULL,
	"object" text,
	"state" text DEFAULT 'running' NOT NULL,
	"counts" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"error" text,
	"holder" text NOT NULL,
	"started_at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
	"finished_at" timestamp with time zone,
	CONSTRAINT "run_state" CHECK ("clarify_sync"."run"."state" in ('running', 'ok', 'incomplete', 'failed'))
);
--> statement-breakpoint
CREATE TABLE "clarify_sync"."schema_version" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "clarify_sync"."schema_version_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"steps" jsonb NOT NULL,
	"objects" jsonb NOT NULL,
	"applied_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "clarify_sync"."tombstone" (
	"object" text NOT NULL,
	"id" text NOT NULL,
	"record" jsonb,
	"reason" text NOT NULL,
	"deleted_at" timestamp with time zone,
	"noticed_at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "tombstone_object_id_pk" PRIMARY KEY("object","id"),
	CONSTRAINT "tombstone_reason" CHECK ("clarify_sync"."tombstone"."reason" in ('deleted', 'merged', 'not_visible'))
);
--> statement-breakpoint
CREATE INDEX "conflict_record" ON "clarify_sync"."conflict" USING btree ("object","record_id");--> statement-breakpoint
CREATE INDEX "conflict_open" ON "clarify_sync"."conflict" USING btree ("object","record_id") WHERE "clarify_sync"."conflict"."resolution" = 'open';--> statement-breakpoint
CREATE INDEX "id_map_current" ON "clarify_sync"."id_map" USING btree ("object","id");--> statement-breakpoint
CREATE INDEX "outbox_due" ON "clarify_sync"."outbox" USING btree ("object","id") WHERE "clarify_sync"."outbox"."state" = 'pending';--> statement-breakpoint
CREATE INDEX "outbox_unsettled" ON "clarify_sync"."outbox" USING btree ("object","record_id","id") WHERE "clarify_sync"."outbox"."state" in ('pending', 'sending', 'parked');--> statement-breakpoint
CREATE INDEX "run_latest" ON "clarify_sync"."run" USING btree ("object","kind","id" DESC NULLS LAST);