import { createFleetSync } from './app/fleet/fleet-sync.ts';
import { createSingleSync } from './app/single-sync.ts';
import type { FleetOptions, FleetSync, Sync, SyncOptions } from './app/sync.ts';

export type { ConfigOptions } from './app/config/options.ts';
export type { FleetConfigOptions, WorkspaceOptions } from './app/fleet/options.ts';
export type {
  ConflictNotice,
  FleetEvents,
  FleetOptions,
  FleetSync,
  FleetSyncStatus,
  Notice,
  ParkedNotice,
  PushNotice,
  RunNotice,
  Sync,
  SyncEvent,
  SyncEvents,
  SyncListener,
  SyncOptions,
  SyncStatus,
  WorkspaceEvents,
} from './app/sync.ts';
export { RemoteError, SyncError, UsageError } from './domain/errors.ts';

/**
 * Keeps one workspace in step, or, given `workspaces`, a fleet of them. Reads no environment,
 * handles no signal, and ends no process: all of that is the program's own.
 */
export function createSync(options: FleetOptions): FleetSync;
export function createSync(options: SyncOptions): Sync;
export function createSync(options: SyncOptions | FleetOptions): Sync | FleetSync {
  return 'workspaces' in options ? createFleetSync(options) : createSingleSync(options);
}
