import type { Json } from '../../domain/json.ts';
import type { ApiError } from '../kernel/api-error.ts';
import { type Random, seededRandom, uuid } from '../kernel/random.ts';
import { notFound, refuse } from './api-error.ts';
import { createExtras, type Extras } from './extras.ts';
import { createHistory, type History } from './history.ts';
import { createLinks, type Links } from './links.ts';
import { isToMany, type LinkField, type ObjectDefinition } from './object-definition.ts';
import { createObjectState, type ObjectState } from './object-state.ts';
import { prefixedId } from './prefixed-id.ts';
import type { StoredRecord } from './stored-record.ts';
import { type Dialect, defaultSwitches, type Switches } from './switches.ts';
import { type WorkspaceUser, workspaceUsers } from './users.ts';

/** The whole state of the emulated workspace. */
export interface Workspace {
  readonly slug: string;
  readonly dialect: Dialect;
  readonly seed: string;
  readonly switches: Switches;
  readonly objects: Map<string, ObjectState>;
  readonly links: Links;
  readonly history: History;
  /** Segments that were uploaded, by recording. */
  readonly transcripts: Map<string, Json>;
  readonly extras: Extras;
  readonly users: readonly WorkspaceUser[];
  readonly random: Random;
  /** Epoch milliseconds by the workspace's own clock, skew included. */
  now(): number;
  newId(random: Random, object: string): string;
}

export interface WorkspaceOptions {
  readonly slug: string;
  readonly dialect: Dialect;
  readonly seed: string;
  readonly clock: () => number;
  readonly switches?: Partial<Switches> | undefined;
  readonly objects: readonly ObjectDefinition[];
}

export function createWorkspace(options: WorkspaceOptions): Workspace {
  const { slug, dialect, seed, clock } = options;
  const switches = { ...defaultSwitches(dialect), ...options.switches };
  const workspace: Workspace = {
    slug,
    dialect,
    seed,
    switches,
    objects: new Map(),
    links: createLinks(),
    history: createHistory(),
    transcripts: new Map(),
    extras: createExtras(),
    users: workspaceUsers,
    random: seededRandom(`${seed} runtime`),
    now: () => Math.floor(clock() + switches.clockSkewMs),
    newId: dialect === 'current' ? uuid : prefixedId,
  };
  for (const definition of options.objects) addObjectState(workspace, definition);
  return workspace;
}

export function addObjectState(workspace: Workspace, definition: ObjectDefinition): ObjectState {
  const { switches } = workspace;
  const state = createObjectState(definition, () => switches.updatedAtUntilEdit !== 'set');
  workspace.objects.set(definition.object, state);
  return state;
}

/** @throws ApiError 404 */
export function objectState(workspace: Workspace, object: string): ObjectState {
  const state = workspace.objects.get(object);
  if (state === undefined) throw notFound(`Object ${object}`);
  return state;
}

/** @throws ApiError 404 */
export function storedRecord(state: ObjectState, id: string): StoredRecord {
  const record = state.records.get(id);
  if (record === undefined) throw notFound(`${state.definition.object} ${id}`);
  return record;
}

/** Ids a to-many field lists, in no particular order. */
export function linkedIds(
  workspace: Workspace,
  object: string,
  field: LinkField,
  id: string,
): ReadonlySet<string> {
  const { relation, entity, field: back } = field.form;
  if (relation === 'many-to-many') return workspace.links.ids(object, field, id);
  if (!isToMany(field) || back === null) return new Set();
  return workspace.objects.get(entity)?.references.get(back)?.get(id) ?? new Set();
}

export function internalError(): ApiError {
  return refuse(500, 'Internal server error');
}

/** When a write of now shows in lists; null for at once. */
export function showAt(workspace: Workspace, nowMs: number): number | null {
  const { visibilityDelayMs, lateShare } = workspace.switches;
  if (visibilityDelayMs === 0 || workspace.random.next() >= lateShare) return null;
  return nowMs + visibilityDelayMs;
}
