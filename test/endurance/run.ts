import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { startTestServer } from '../support/postgres-server.ts';
import { endure } from './endure.ts';

const { values: options } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    /** Percent of the requests that each kind of fault hits. */
    faults: { type: 'string', default: '4' },
    seed: { type: 'string', default: String(Math.floor(Date.now() / 1000) % 1_000_000) },
  },
});

const print = (line: string) => process.stdout.write(`${line}\n`);

const server = await startTestServer();
const admin = new pg.Client({ connectionString: server.url });
const name = `clarify_sync_endurance_${randomBytes(4).toString('hex')}`;
const url = new URL(server.url);
url.pathname = `/${name}`;
try {
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  print(`seed ${options.seed}`);
  const { wrong, differences, parked, ...figures } = await endure({
    databaseUrl: url.href,
    kills: Number(options.kills),
    faultShare: Number(options.faults) / 100,
    seed: options.seed,
    tell: print,
  });
  print(JSON.stringify(figures));
  for (const line of wrong) print(`! ${line}`);
  for (const line of differences) print(`! ${line}`);
  for (const line of parked) print(`! left over: ${line}`);
  process.exitCode = wrong.length + differences.length + parked.length === 0 ? 0 : 1;
} finally {
  await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`).catch(() => undefined);
  await admin.end();
  await server.stop();
}
