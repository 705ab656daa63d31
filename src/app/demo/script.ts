import { NotArrived, type Side, type Stage } from '../../emulator/kernel/demo-script.ts';
import { type Demo, since } from './demo.ts';
import { groundOf, LONGEST_WAIT_MS } from './waiting.ts';

/** What one scene came to. */
export interface SceneResult {
  readonly title: string;
  /** Whether it arrived on the other side. */
  readonly arrived: boolean;
  /** From the write to its arrival. */
  readonly ms: number;
}

export interface ScriptOptions {
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** Plays every scene, one after the other. A scene that fails does not end the show. */
export async function playScript(demo: Demo, options: ScriptOptions): Promise<SceneResult[]> {
  const results: SceneResult[] = [];
  const ground = groundOf(demo.sql, options.signal);
  const name = (side: Side) =>
    (side === 'crm' ? demo.title : 'SQL').padEnd(Math.max(demo.title.length, 3));
  for (const [index, { title, play }] of demo.script.scenes.entries()) {
    options.signal.throwIfAborted();
    options.say('');
    options.say(`${index + 1}. ${title}`);
    let startedMs = performance.now();
    const tells = (side: Side, what: string) => options.say(`   ${name(side)}  ${what}`);
    const stage: Stage = {
      ...ground,
      tells,
      did(side, what) {
        tells(side, what);
        startedMs = performance.now();
      },
      async arrives(side, what, look) {
        const found = await ground.until(look);
        tells(side, `${what}  (${since(startedMs)} ms)`);
        return found;
      },
    };
    const arrived = await play(stage).then(
      () => true,
      (error: unknown) => {
        if (!(error instanceof NotArrived)) throw error;
        options.say(`   it did not arrive within ${LONGEST_WAIT_MS / 1_000} s`);
        return false;
      },
    );
    results.push({ title, arrived, ms: since(startedMs) });
  }
  return results;
}
