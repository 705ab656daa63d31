// Keeps a workspace and a database in step from inside a program of your own.
//
//   npm install clarify-sync pino
//   CLARIFY_API_KEY=… CLARIFY_WORKSPACE=acme DATABASE_URL=postgres://… node embed.js

import { createSync, SyncError } from 'clarify-sync';
import { pino } from 'pino';

/** What is read from the environment is the program's decision, not the library's. */
function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

const sync = createSync({
  apiKey: setting('CLARIFY_API_KEY'),
  workspace: setting('CLARIFY_WORKSPACE'),
  apiUrl: process.env['CLARIFY_API_URL'],
  database: { url: setting('DATABASE_URL') },
  push: true,
  objects: {
    person: { pull: '*/2 * * * * *' },
    deal: { conflicts: 'manual' },
  },
  exclude: ['message'],
  log: pino({ level: 'warn' }),
});

sync.on('pulled', ({ object, kind, state, counts }) => {
  const { inserted = 0, updated = 0, removed = 0 } = counts;
  if (state !== 'ok') console.log(`${object}: ${state}`);
  else if (inserted + updated + removed > 0) {
    console.log(`${object}: ${kind}, ${inserted} new, ${updated} changed, ${removed} removed`);
  }
});
sync.on('pushed', ({ delivered }) => console.log(`${delivered} records sent to Clarify`));
sync.on('conflict', ({ object, recordId, field, resolution }) =>
  console.log(`${object} ${recordId}: both sides changed ${field}, ${resolution}`),
);
sync.on('parked', ({ object, recordId, code }) => console.log(`${object} ${recordId}: ${code}`));
sync.on('leading', (leads) => console.log(leads ? 'leading' : 'standing by'));
sync.on('error', (error) => {
  console.error(error instanceof SyncError ? `${error.code}: ${error.message}` : error);
  process.exitCode = 1;
});

// Signals are the program's own as well.
process.once('SIGINT', () => {
  void sync.stop().then(() => console.log('stopped'));
});

await sync.start();
const { objects } = await sync.status();
console.log(`running, ${objects.length} objects`);
