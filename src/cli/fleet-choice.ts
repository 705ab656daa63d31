import type { Config } from '../app/config/config.ts';
import type { FleetConfig, FleetEntry } from '../app/fleet/file.ts';
import { UsageError } from '../domain/errors.ts';

/** @throws UsageError naming those there are, where it is none of them or has to be said which. */
export function chooseWorkspace({ workspaces }: FleetConfig, name: string | undefined): FleetEntry {
  const [only, ...others] = workspaces;
  const found =
    name === undefined
      ? others.length === 0 && only
      : workspaces.find((entry) => entry.name === name);
  if (found) return found;
  const names = workspaces.map((entry) => entry.name).join(', ');
  const problem =
    name === undefined
      ? `--workspace is needed: the fleet has ${workspaces.length}`
      : `the fleet has no workspace ${name}`;
  throw new UsageError([problem], `--workspace takes one of ${names}`);
}

/** @throws UsageError where a name is given that cannot be meant: there is no fleet. */
export function checkLoneName({ name }: Config, given: string | undefined): void {
  if (given === undefined || given === name) return;
  throw new UsageError(
    [`there is no workspace ${given}: CLARIFY_SYNC_FLEET is not set`],
    'leave --workspace out, or set CLARIFY_SYNC_FLEET to the file of a fleet',
  );
}
