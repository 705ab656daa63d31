import PQueue from 'p-queue';
import { bindDatabase, type Database } from '../../db/connection/database.ts';
import { Listener } from '../../db/connection/listener.ts';
import { openServer, type Server } from '../../db/connection/server.ts';
import { shareOf } from '../../db/connection/share.ts';
import { type Schemas, schemasOf } from '../../db/control/schemas.ts';
import type { Logger } from '../log.ts';
import { PulseLoop, type PulseOptions } from './pulse.ts';

/**
 * Of one database, in all of a process: with the one that listens, and the one by which a new file is
 * checked, sixteen at most.
 */
const CONNECTIONS = 12;
const RESERVED = 2;
/** What one workspace may have of them at a time. */
const SHARE = 6;
/** What takes much of the machine is done of so many workspaces at a time. */
const TURNS = 4;

export interface DatabaseAddress {
  readonly url: string;
  /** For LISTEN. */
  readonly directUrl: string;
}

/** All workspaces of a process that live in one database: they share its connections. */
export interface DatabaseGroup {
  readonly address: DatabaseAddress;
  readonly listener: Listener;
  readonly pulse: PulseLoop;
  /**
   * What takes much at once takes turns. Nobody waits for a CRM in one, and each database has its own:
   * one that does not answer keeps those of the others from nothing.
   */
  readonly turns: PQueue;
  /** One workspace's. Closing it leaves the connections to the others. */
  bind(schemas: Schemas): Database;
  /** Closes every connection; after everything that uses one. */
  stop(): Promise<void>;
}

export function openGroup(
  address: DatabaseAddress,
  options: Omit<PulseOptions, 'db'> & { readonly log: Logger },
): DatabaseGroup {
  const { url, directUrl } = address;
  const server: Server = openServer({
    url,
    isPooled: directUrl !== url,
    applicationName: 'clarify-sync',
    max: CONNECTIONS,
    reserved: RESERVED,
    log: options.log,
  });
  const shared = shareOf(server, CONNECTIONS);
  // Statements about all of them name every schema themselves.
  const pulse = new PulseLoop({ ...options, db: bindDatabase(server, schemasOf('fleet')) });
  const listener = new Listener(directUrl);
  pulse.start();
  void listener.start();
  return {
    address,
    listener,
    pulse,
    turns: new PQueue({ concurrency: TURNS }),
    bind: (schemas) => bindDatabase(shareOf(shared, SHARE), schemas),
    async stop() {
      await pulse.stop();
      await listener.stop();
      await server.close();
    },
  };
}
