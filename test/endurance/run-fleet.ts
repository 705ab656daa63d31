import { parseArgs } from 'node:util';
import { openDatabase } from '../../src/db/connection/database.ts';
import { startEdits, watchReigns } from '../e2e/fleet-edits.ts';
import { openRig } from '../e2e/fleet-rig.ts';
import { eventsOf } from './fleet-events.ts';
import { inOwnDatabase } from './own-database.ts';

const { values: options } = parseArgs({
  options: {
    workspaces: { type: 'string', default: '12' },
    processes: { type: 'string', default: '3' },
    /** How often the round of events is gone through. */
    rounds: { type: 'string', default: '1' },
  },
});

const print = (line: string) => process.stdout.write(`${line}\n`);

await inOwnDatabase(async (url) => {
  const db = openDatabase({ url, applicationName: 'fleet test' });
  const rig = await openRig({ url, db, drop: () => db.close() });
  try {
    const names = Array.from({ length: Number(options.workspaces) }, (_, n) => `crm_${n + 1}`);
    for (const name of names) await rig.addWorkspace(name);
    await rig.write();
    const events = eventsOf(rig, print);
    await events.begin(Number(options.processes));
    const reigns = watchReigns(rig);
    const edits = startEdits(rig);
    for (let round = 0; round < Number(options.rounds); round += 1) await events.round(round);
    const wrong = await edits.settle(120_000);
    await reigns.stop();
    print(`${edits.count()} edits`);
    const problems = [...wrong, ...reigns.problems(), ...events.late()];
    for (const problem of problems) print(`! ${problem}`);
    process.exitCode = problems.length === 0 ? 0 : 1;
  } finally {
    await rig.stop();
  }
});
