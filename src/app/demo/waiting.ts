import { setTimeout as sleep } from 'node:timers/promises';
import { type DemoSql, type Ground, NotArrived } from '../../emulator/kernel/demo-script.ts';

export const LONGEST_WAIT_MS = 15_000;
const LOOK_EVERY_MS = 20;

/** What scenes and turns stand on. */
export function groundOf(sql: DemoSql, signal: AbortSignal): Ground {
  return {
    sql,
    async one(statement, values) {
      const [row] = await sql.query(statement, values);
      return row ?? null;
    },
    async until(look) {
      const deadlineMs = performance.now() + LONGEST_WAIT_MS;
      for (;;) {
        const found = await look();
        if (found !== null) return found;
        if (performance.now() > deadlineMs) throw new NotArrived();
        await sleep(LOOK_EVERY_MS, undefined, { signal });
      }
    },
  };
}
