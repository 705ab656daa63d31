-- What the control tables hold, for the operators who query them.
COMMENT ON TABLE clarify_sync.installation IS 'What this database is to which workspace, and whether it may push: one row.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.installation.only IS 'Always true: there is one row.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.installation.id IS 'Names this installation.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.installation.workspace IS
  'Slug of the Clarify workspace this database mirrors.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.installation.fingerprint IS
  'Names the database itself; differs in a copy or a restore.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.installation.writer_secret IS
  'Marks the synchronisation''s own writes to the triggers. Keep it unreadable for others.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.installation.push IS
  'Whether local writes are captured and sent; where false, the triggers refuse them.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.installation.created_at IS 'When this database was first used.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.installation.adopted_at IS
  'When it was last adopted, by the first start or by clarify-sync doctor --adopt.';
--> statement-breakpoint
COMMENT ON TABLE clarify_sync.lease IS 'Who leads, one row per role. All times are the database''s.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.lease.name IS 'The role: leader, the only one there is.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.lease.holder IS 'The process that holds it, or held it last.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.lease.epoch IS 'Counts the holders: only the newest may settle.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.lease.expires_at IS
  'From then on anybody may take it; a holder that ends in good order lets go at once.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.lease.acquired_at IS 'When the holder took it.';
--> statement-breakpoint
COMMENT ON TABLE clarify_sync.mirror IS 'The mirror tables of schema clarify, one row per object.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.mirror.object IS 'The object''s slug in Clarify, such as person.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.mirror.table_name IS 'Its table in schema clarify.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.mirror.label_singular IS 'What Clarify calls one of them.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.mirror.label_plural IS 'What Clarify calls many of them.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.mirror.identity IS
  'The field by which two records are known to be one; null where there is none.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.mirror.refusal IS
  'Why local writes are refused; null where they are fine.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.mirror.delete_policy IS
  'What becomes of a local delete: push, park or refuse.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.mirror.removed_at IS
  'Since when Clarify no longer lists the object.';
--> statement-breakpoint
COMMENT ON TABLE clarify_sync.mirror_column IS 'The columns of the mirror tables, one row per field.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.mirror_column.object IS 'The object''s slug.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.mirror_column.field IS 'The field, exactly as Clarify names it.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.mirror_column.column_name IS
  'Its column: the field''s name, unless that is too long or taken.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.mirror_column.kind IS
  'How its values look: text, number, boolean, date, timestamp, texts, reference, references or json.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.mirror_column.definition IS
  'The whole field as Clarify described it.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.mirror_column.position IS 'Its place among the object''s fields.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.mirror_column.removed_at IS
  'Since when Clarify no longer lists the field; the column and its data stay.';
--> statement-breakpoint
COMMENT ON TABLE clarify_sync.schema_version IS 'How the mirror tables came to be what they are, one row per change.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.schema_version.id IS 'Order of the changes.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.schema_version.steps IS
  'The statements that led here from the version before.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.schema_version.objects IS 'The objects and fields of this version.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.schema_version.applied_at IS 'When the statements were run.';
--> statement-breakpoint
COMMENT ON TABLE clarify_sync.cursor IS 'How far each object has been read.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.cursor.object IS 'The object''s slug.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.cursor.phase IS
  'backfill until everything has been read once, then incremental.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.cursor.updated_watermark IS
  'Everything visible with an earlier _updated_at has been applied.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.cursor.created_watermark IS
  'The same by _created_at: during a backfill, and for records never edited.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.cursor.deleted_watermark IS 'The same for the feed of deletions.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.cursor.stamping IS
  'Whether records carry _updated_at from birth: unknown, always or after_edit.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.cursor.backfill IS
  'Where an unfinished backfill goes on; null otherwise.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.cursor.version IS
  'Grows with every change: whoever writes has to name the one he read.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.cursor.updated_at IS 'When this row last changed.';
--> statement-breakpoint
COMMENT ON TABLE clarify_sync.run IS 'What was done when, and how it ended.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.run.id IS 'Order of the runs.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.run.kind IS 'What was done: pull, backfill, reconcile or sweep. Of what is sent the outbox tells.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.run.object IS
  'The object''s slug; null where it concerned all of them.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.run.state IS
  'running; ok: every page needed was read and applied; incomplete: some were not; failed.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.run.counts IS 'Records read, written and so on, by name.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.run.error IS
  'Code of the error that ended it; docs/errors.md lists them.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.run.holder IS 'The process that did it.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.run.started_at IS 'When it began.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.run.finished_at IS 'When it ended; null while it runs.';
--> statement-breakpoint
COMMENT ON TABLE clarify_sync.outbox IS 'Local changes on their way to Clarify. The triggers on the mirror tables write it.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.outbox.id IS
  'Order of the changes; per record it is the order of commit.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.outbox.object IS 'The object''s slug.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.outbox.record_id IS
  'The row''s id: Clarify''s, or local:… until it has one.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.outbox.op IS 'insert, update, delete, link or unlink.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.outbox.changes IS
  'Per field {base, value}: what both sides agreed on before, and what it is to be. A delete holds the whole row.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.outbox.state IS
  'pending, sending, done, parked (needs a person), superseded (by a later change) or cancelled (by a decision).';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.outbox.sent IS
  'What was sent, by which a create that may have arrived is recognised.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.outbox.blocked_by IS 'The entry that has to go first.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.outbox.epoch IS
  'The leader''s epoch when it took the entry: only that leader may settle it.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.outbox.attempts IS 'How many times it was sent.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.outbox.next_attempt_at IS 'Not before this time.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.outbox.last_error IS
  'Code and reason of the last failure; of a parked entry, what a person has to settle.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.outbox.written_by IS 'The database user who made the change.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.outbox.created_at IS 'When the change was made.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.outbox.sent_at IS 'When it was last sent.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.outbox.done_at IS 'When it was done, superseded or cancelled.';
--> statement-breakpoint
COMMENT ON TABLE clarify_sync.conflict IS 'Fields that both sides changed to different values, one row each.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.conflict.id IS 'Order of detection.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.conflict.object IS 'The object''s slug.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.conflict.record_id IS 'The record''s id.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.conflict.field IS 'The field.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.conflict.base IS 'Its value as both sides last agreed.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.conflict.local IS 'Its value in the table.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.conflict.remote IS 'Its value in Clarify.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.conflict.remote_by IS
  'Who changed it in Clarify, where that is known.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.conflict.policy IS
  'What decided: newest, remote, local, manual, or deleted where the record was gone.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.conflict.resolution IS
  'Which side was kept: local, remote, merged; open while a person has to say.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.conflict.certain IS
  'False where newest had to compare a time of the whole record.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.conflict.detected_at IS 'When it was noticed.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.conflict.resolved_at IS 'When it was resolved; null while open.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.conflict.resolved_by IS
  'What resolved it: policy, agreement (both sides came to one value), merge, or a command.';
--> statement-breakpoint
COMMENT ON TABLE clarify_sync.tombstone IS 'What remains of rows whose record is gone.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.tombstone.object IS 'The object''s slug.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.tombstone.id IS 'The record''s id.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.tombstone.record IS 'The row as it was.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.tombstone.reason IS
  'deleted, merged (into another record) or not_visible (to this key any more).';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.tombstone.deleted_at IS
  'When it was deleted in Clarify, where that is known.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.tombstone.noticed_at IS 'When the row was taken away.';
--> statement-breakpoint
COMMENT ON TABLE clarify_sync.id_map IS 'Every id a record has had, and the one that took its place.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.id_map.object IS 'The object''s slug.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.id_map.old_id IS 'An id it had.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.id_map.id IS
  'The id that followed; ask clarify_sync.current_id for the newest.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.id_map.reason IS
  'pushed (a local row got Clarify''s id), adopted (it was there already) or merged.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.id_map.mapped_at IS 'When that happened.';
--> statement-breakpoint
COMMENT ON TABLE clarify_sync.deferred IS 'Records read while a user held their row: applied as soon as the lock is gone.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.deferred.object IS 'The object''s slug.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.deferred.id IS 'The record''s id.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.deferred.record IS 'The record as it was read.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.deferred.read_at IS 'Database time just before it was read.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.deferred.noticed_at IS 'When the lock was met.';
