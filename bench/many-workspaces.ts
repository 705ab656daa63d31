/**
 * Many workspaces of a CRM in one process, for the part `fleet`: tells on its first line where each
 * is. Usage: `many-workspaces.ts COUNT`.
 */
import { startEmulator } from '../src/emulator/clarify/emulator.ts';

const SIZES = { company: 10, person: 20, deal: 10, task: 10, meeting: 5, message: 5, c_project: 5 };

const count = Number(process.argv[2]);
const workspaces = [];
for (let index = 1; index <= count; index += 1) {
  const name = `w${String(index).padStart(3, '0')}`;
  const { url, apiKey, workspace } = await startEmulator({
    workspace: name,
    apiKey: `key-of-${name}`,
    seed: index,
    sizes: SIZES,
    // What is measured is what this program can do, and the limit is known.
    switches: { ratePerMinute: 1_000_000 },
  });
  workspaces.push({ name, url, apiKey, workspace });
}
process.stdout.write(`${JSON.stringify(workspaces)}\n`);
