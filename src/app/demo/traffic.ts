import { setTimeout as sleep } from 'node:timers/promises';
import { type Demo, since } from './demo.ts';
import type { ScriptOptions } from './script.ts';
import { NotArrived, one, until } from './waiting.ts';

const EVERY_MS = 5_000;
const TITLES = ['Head of Data', 'Account Executive', 'Buyer', 'Chief of Staff', 'Site Manager'];

/** Goes on with an edit on either side, by turns, until the signal is aborted. */
export async function playTraffic(demo: Demo, options: ScriptOptions): Promise<void> {
  const { signal, say } = options;
  const turns = [remoteEdit, localEdit];
  for (let turn = 0; !signal.aborted; turn += 1) {
    await sleep(EVERY_MS, undefined, { signal }).catch(() => {});
    const play = turns[turn % turns.length];
    if (signal.aborted || play === undefined) return;
    const startedMs = performance.now();
    try {
      const what = await play(demo, turn, signal);
      say(`   ${what}  (${since(startedMs)} ms)`);
    } catch (error) {
      // Whoever joined in may have deleted just this record.
      if (!(error instanceof NotArrived) && !signal.aborted) throw error;
    }
  }
}

async function remoteEdit(demo: Demo, turn: number, signal: AbortSignal): Promise<string> {
  const { store } = demo.emulator;
  const id = anyOf(store.ids('person'));
  const title = `${anyOf(TITLES)} ${turn}`;
  store.update('person', id, { job_title: title });
  await until(
    () => one(demo, 'select 1 from clarify.person where id = $1 and job_title = $2', [id, title]),
    signal,
  );
  return `Clarify → SQL   person ${id}: job_title = ${title}`;
}

async function localEdit(demo: Demo, turn: number, signal: AbortSignal): Promise<string> {
  const { store } = demo.emulator;
  const id = anyOf(store.ids('deal'));
  const amount = 1_000 * (turn + 1);
  await demo.sql.query('update clarify.deal set amount = $1 where id = $2', [amount, id]);
  await until(async () => {
    return Number(store.get('deal', id)?.attributes['amount']) === amount ? true : null;
  }, signal);
  return `SQL → Clarify   deal ${id}: amount = ${amount}`;
}

function anyOf(items: readonly string[]): string {
  return items[Math.floor(Math.random() * items.length)] ?? '';
}
