import { approveDeletes } from '../../db/outbox/delete-guard.ts';
import { UsageError } from '../../domain/errors.ts';
import { showPlural } from '../quantity.ts';
import type { Report } from '../report.ts';
import type { CommandContext } from '../shell.ts';
import { nextAfterRelease } from './outbox-next.ts';

/** `outbox approve`: lets deletes go that wait for a person. */
export async function approve(
  context: CommandContext,
  ids: readonly bigint[],
  all: boolean,
): Promise<Report> {
  if (all === ids.length > 0) throw new UsageError(['give ids, or --all']);
  return await context.withDatabase(async ({ db }, { push }) => {
    const approved = await approveDeletes(db, all ? null : ids);
    const refused = ids.filter((id) => !approved.includes(id));
    return {
      json: { approved, refused },
      text: [`${showPlural(approved.length, 'delete')} approved`],
      failures: refused.map((id) => ({
        code: 'not-approved',
        message: `change ${id} is no delete that waits for approval`,
        hint: `see \`clarify-sync outbox show ${id}\``,
        problems: [],
      })),
      exitCode: refused.length > 0 ? 1 : 0,
      next: approved.length > 0 ? nextAfterRelease(push) : null,
    };
  });
}
