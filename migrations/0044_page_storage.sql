-- Written anew with every page of a round, and nearly random: trying to compress it took half of the time that writing took.
ALTER TABLE clarify_sync.scan_page ALTER COLUMN ids SET STORAGE EXTERNAL;
--> statement-breakpoint
ALTER TABLE clarify_sync.sweep ALTER COLUMN position SET STORAGE EXTERNAL;
