import { userInfo } from 'node:os';
import { type Decision, resolveConflict } from '../../app/decisions/resolve-conflict.ts';
import { readConflict } from '../../db/outbox/conflict-review.ts';
import type { Report } from '../report.ts';
import type { CommandContext } from '../shell.ts';
import { nextAfterRelease } from './outbox-next.ts';

/** `conflicts resolve`: a person's decision. */
export async function resolve(context: CommandContext, id: bigint, take: string): Promise<Report> {
  return await context.withSession(async (session) => {
    const decision = { conflict: id, take: sideOf(take), by: userName() };
    const outcome = await resolveConflict(session, decision, context.signal);
    const settled = await readConflict(session.db, id);
    const isSent = settled?.resolution !== 'remote';
    return {
      json: { id, resolution: settled?.resolution ?? null, outcome },
      text: [`conflict ${id} settled: ${outcome}`],
      exitCode: 0,
      next: isSent ? nextAfterRelease(session.config.push) : null,
    };
  });
}

function sideOf(take: string): Decision['take'] {
  return take === 'local' || take === 'remote' ? take : { value: take };
}

/** In a container the user may have no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'conflicts resolve';
  }
}
