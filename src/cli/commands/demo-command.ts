import type { Demo } from '../../app/demo/demo.ts';
import type { SceneResult } from '../../app/demo/script.ts';
import { openLog } from '../../app/log.ts';
import { demos } from '../../emulator/emulators.ts';
import { roomNamed } from '../crm-option.ts';
import { showPlural } from '../quantity.ts';
import type { Report } from '../report.ts';
import type { CommandContext, CommonOptions } from '../shell.ts';

export interface DemoFlags extends CommonOptions {
  readonly crm: string;
  readonly once?: boolean;
}

export async function demo(context: CommandContext, flags: DemoFlags): Promise<Report | null> {
  const { terminal, signal, json } = context;
  const say = (line: string) => void (json || terminal.out.write(`${line}\n`));
  const stays = flags.once !== true && !json && terminal.out.isTTY === true;
  // The narration tells what matters; of the service only what goes wrong.
  const log = await openLog('error');
  const { startDemo } = await import('../../app/demo/demo.ts');
  const { playScript } = await import('../../app/demo/script.ts');
  let started: Demo | null = null;
  try {
    started = await startDemo({ room: roomNamed(demos, flags.crm), log, signal, say });
    const results = await Promise.race([playScript(started, { signal, say }), endedEarly(started)]);
    if (stays) await stay(started, context, say);
    return report(results, started);
  } catch (error) {
    // Ctrl-C is how a demo ends.
    if (signal.aborted) return null;
    throw error;
  } finally {
    await started?.stop();
  }
}

/** Where the service ends by itself, waiting for arrivals is in vain: its error is the news. */
async function endedEarly({ running }: Demo): Promise<never> {
  await running;
  throw new DOMException('the service was stopped', 'AbortError');
}

async function stay(
  running: Demo,
  { signal, paint }: CommandContext,
  say: (line: string) => void,
): Promise<void> {
  say('');
  say(paint('bold', 'Join in:'));
  say(`   psql '${running.databaseUrl}'`);
  say(`   ${running.script.query}`);
  say(`   and act as a person in the app: ${running.emulator.adminUrl}`);
  say('');
  say('Going on with an edit every few seconds; Ctrl-C ends it and leaves nothing behind.');
  const { playTraffic } = await import('../../app/demo/traffic.ts');
  await Promise.race([playTraffic(running, { signal, say }), running.running]);
}

function report(results: readonly SceneResult[], { needed }: Demo): Report {
  const missing = results.filter(({ arrived }) => !arrived);
  return {
    json: { scenes: results },
    text: [
      '',
      missing.length === 0
        ? `everything arrived: ${showPlural(results.length, 'scene')}`
        : `${showPlural(missing.length, 'scene')} of ${results.length} did not arrive`,
    ],
    exitCode: missing.length === 0 ? 0 : 1,
    next:
      missing.length === 0
        ? `to sync a workspace of your own, set ${needed.join(' and ')} and run \`clarify-sync sync\``
        : 'run `clarify-sync demo` again; if it fails again, please report it',
  };
}
