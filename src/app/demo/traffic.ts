import { setTimeout as sleep } from 'node:timers/promises';
import { NotArrived } from '../../emulator/kernel/demo-script.ts';
import { type Demo, since } from './demo.ts';
import type { ScriptOptions } from './script.ts';
import { groundOf } from './waiting.ts';

const EVERY_MS = 5_000;

/** Goes on with an edit on either side, by turns, until the signal is aborted. */
export async function playTraffic(demo: Demo, options: ScriptOptions): Promise<void> {
  const { signal, say } = options;
  const { turns } = demo.script;
  const ground = groundOf(demo.sql, signal);
  for (let turn = 0; !signal.aborted; turn += 1) {
    await sleep(EVERY_MS, undefined, { signal }).catch(() => {});
    const play = turns[turn % turns.length];
    if (signal.aborted || play === undefined) return;
    const startedMs = performance.now();
    try {
      const what = await play(ground, turn);
      say(`   ${what}  (${since(startedMs)} ms)`);
    } catch (error) {
      // Whoever joined in may have deleted just this record.
      if (!(error instanceof NotArrived) && !signal.aborted) throw error;
    }
  }
}
