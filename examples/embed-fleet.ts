// Keeps several workspaces in step with one database from inside a program of your own. Any number of
// such programs, and of `clarify-sync run` with the same workspaces, share them.
//
//   npm install clarify-sync pino
//   WORKSPACES='{"acme":{"workspace":"acme","apiKeyFile":"/run/secrets/acme"}}' \
//     DATABASE_URL=postgres://… node embed-fleet.js

import { createSync, SyncError, type WorkspaceOptions } from 'clarify-sync';
import { pino } from 'pino';

/** Where they come from is the program's own: a file, a table, a service. */
function readWorkspaces(): Record<string, WorkspaceOptions> {
  const given: unknown = JSON.parse(process.env['WORKSPACES'] ?? '{}');
  if (!areByName(given)) throw new Error('WORKSPACES holds no workspaces by name');
  return given;
}

/** Whatever is wrong in one of them is named by `createSync` and `change`. */
function areByName(given: unknown): given is Record<string, WorkspaceOptions> {
  return typeof given === 'object' && given !== null;
}

const database = { url: process.env['DATABASE_URL'] ?? '' };

const fleet = createSync({
  database,
  workspaces: readWorkspaces(),
  // One status page for all of them.
  http: { port: 0 },
  log: pino({ level: 'warn' }),
});

fleet.on('leading', ({ workspace, leads }) =>
  console.log(`${workspace}: ${leads ? 'led here' : 'led elsewhere'}`),
);
fleet.on('pulled', ({ workspace, object, counts }) => {
  const { inserted = 0, updated = 0, removed = 0 } = counts;
  if (inserted + updated + removed > 0) {
    console.log(`${workspace}: ${object}, ${inserted} new, ${updated} changed, ${removed} removed`);
  }
});
fleet.on('parked', ({ workspace, object, recordId, code }) =>
  console.log(`${workspace}: ${object} ${recordId} waits for a person, ${code}`),
);
// One workspace alone; the others go on.
fleet.on('error', ({ workspace, error }) =>
  console.error(`${workspace}: ${error instanceof SyncError ? error.code : String(error)}`),
);

// Workspaces come and go while it runs.
process.on('SIGHUP', () => {
  fleet.change({ database, workspaces: readWorkspaces() }).catch(console.error);
});
process.once('SIGINT', () => {
  void fleet.stop().then(() => console.log('stopped'));
});

await fleet.start();
const { workspaces } = await fleet.status();
console.log(`running, ${workspaces.length} workspaces, ${fleet.statusUrl}`);
