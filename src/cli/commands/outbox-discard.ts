import { discardChange } from '../../app/decisions/discard-change.ts';
import type { Report } from '../report.ts';
import type { CommandContext } from '../shell.ts';

/** `outbox discard`: gives changes up. */
export async function discard(context: CommandContext, ids: readonly bigint[]): Promise<Report> {
  return await context.withSession(async (session) => {
    const discarded: { id: bigint; outcome: string }[] = [];
    for (const id of ids) {
      discarded.push({ id, outcome: await discardChange(session, id, context.signal) });
    }
    return {
      json: { discarded },
      text: discarded.map(({ id, outcome }) => `change ${id} discarded: ${outcome}`),
      exitCode: 0,
      next: null,
    };
  });
}
