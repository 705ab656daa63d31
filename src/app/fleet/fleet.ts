import { schemasFor } from '../config/config.ts';
import type { Logger } from '../log.ts';
import { nameProcess } from '../session.ts';
import { type DatabaseAddress, type DatabaseGroup, openGroup } from './database-group.ts';
import type { FleetConfig, FleetEntry } from './file.ts';
import type { Seen } from './pulse.ts';
import { Spreader } from './spreader.ts';
import { FleetWorkspace, type WorkspaceWork } from './workspace.ts';

export interface FleetDeps {
  readonly log: Logger;
  /** What is done with a workspace whose database is in that group. */
  readonly workIn: (group: DatabaseGroup, holder: string) => WorkspaceWork;
  /** Where workspaces live that name no database. */
  readonly embedded: DatabaseAddress | null;
  /** Told when a workspace stops alone, once for each reason. */
  readonly onFailed?: (name: string, error: unknown) => void;
  /** Told of an error that nobody expected. */
  readonly onBug: (error: unknown) => void;
}

interface Member {
  readonly workspace: FleetWorkspace;
  readonly group: DatabaseGroup;
  readonly forget: () => void;
}

/** The workspaces of one process of a fleet: shares them with the other processes there are. */
export class Fleet {
  /** Names this process to the others. */
  readonly holder = nameProcess();
  readonly #deps: FleetDeps;
  readonly #spreader = new Spreader(this.holder);
  readonly #members = new Map<string, Member>();
  readonly #groups = new Map<string, DatabaseGroup>();
  readonly #seen = new Map<string, Seen>();
  #stopping = false;

  constructor(deps: FleetDeps) {
    this.#deps = deps;
  }

  /** In the order in which they came. */
  workspaces(): readonly FleetWorkspace[] {
    return [...this.#members.values()].map(({ workspace }) => workspace);
  }

  /**
   * Serves what the file names: workspaces come, go and change, the others are left alone. Returns
   * once those that go have let go.
   */
  async follow({ workspaces }: FleetConfig): Promise<void> {
    if (this.#stopping) return;
    const wanted = new Map(workspaces.map((entry) => [entry.name, entry]));
    const going = [...this.#members].filter(([name, member]) => {
      const entry = wanted.get(name);
      return entry === undefined || this.#lives(entry) !== placeOf(member);
    });
    const gone = Promise.all(going.map(([name]) => this.#remove(name)));
    const changes: Promise<void>[] = [];
    for (const entry of workspaces) {
      const known = this.#members.get(entry.name)?.workspace;
      if (known === undefined) continue;
      if (!isSame(known.config, entry.config)) {
        known.log.info('goes on with another configuration');
        changes.push(known.change(entry));
      }
    }
    // What moves to another schema or database is let go of here before it begins there.
    await gone;
    for (const entry of workspaces) {
      if (!this.#members.has(entry.name) && !this.#stopping) this.#add(entry);
    }
    await Promise.all(changes);
    await this.#closeGroups();
  }

  /** Lets go of every workspace as soon as it has drained, and returns once all have. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#members.keys()].map((name) => this.#remove(name)));
    await this.#closeGroups();
  }

  #add(entry: FleetEntry): void {
    const address = this.#addressOf(entry);
    const group = this.#groups.get(address.url) ?? this.#openGroup(address);
    const schemas = schemasFor(entry.config);
    const workspace = new FleetWorkspace(entry, {
      db: group.bind(schemas),
      holder: this.holder,
      log: this.#deps.log.child({ workspace: entry.name }),
      work: this.#deps.workIn(group, this.holder),
      isBusy: () => this.workspaces().some((one) => one.isStarting()),
      onChange: () => group.pulse.soon(),
      onFailed: (error) => this.#deps.onFailed?.(entry.name, error),
    });
    const forget = group.listener.add(schemas, { lease: () => group.pulse.soon() });
    this.#members.set(entry.name, { workspace, group, forget });
    group.pulse.add(workspace);
    workspace.start();
  }

  async #remove(name: string): Promise<void> {
    const member = this.#members.get(name);
    if (member === undefined) return;
    const { workspace, group, forget } = member;
    // Beats until it has let go: a lease is renewed while what is under way comes to its end.
    await workspace.stop();
    group.pulse.remove(name);
    forget();
    await workspace.db.close();
    this.#seen.delete(name);
    if (this.#members.get(name) === member) this.#members.delete(name);
  }

  #openGroup(address: DatabaseAddress): DatabaseGroup {
    const { log, onBug } = this.#deps;
    const names = () =>
      [...this.#members].filter(([, { group }]) => group === opened).map(([name]) => name);
    const opened: DatabaseGroup = openGroup(address, {
      process: this.holder,
      log,
      onBug,
      facts: () => this.#facts(),
      onLook: (seen) => {
        for (const name of names()) this.#seen.delete(name);
        for (const [name, standing] of seen) this.#seen.set(name, standing);
        this.#move();
      },
    });
    this.#groups.set(address.url, opened);
    return opened;
  }

  async #closeGroups(): Promise<void> {
    const unused = [...this.#groups].filter(([, { pulse }]) => pulse.size === 0);
    for (const [url] of unused) this.#groups.delete(url);
    await Promise.all(unused.map(([, group]) => group.stop()));
  }

  #facts(): { readonly leads: number; readonly opening: number } {
    const led = this.workspaces().filter(({ hold }) => hold.epoch !== null);
    return { leads: led.length, opening: led.filter((one) => one.isOpening()).length };
  }

  #move(): void {
    if (this.#stopping) return;
    const { take, give } = this.#spreader.look(this.#seen, performance.now());
    for (const name of take) {
      this.#members.get(name)?.workspace.take(this.#seen.get(name)?.silent ?? null);
    }
    for (const { workspace: name, to } of give) {
      const workspace = this.#members.get(name)?.workspace;
      workspace?.log.info({ to }, 'handing over');
      workspace?.give().catch(this.#deps.onBug);
    }
  }

  #addressOf({ config }: FleetEntry): DatabaseAddress {
    const address = config.database ?? this.#deps.embedded;
    if (address === null) throw new Error('no database for a workspace that names none');
    return address;
  }

  #lives(entry: FleetEntry): string {
    const { url, directUrl } = this.#addressOf(entry);
    return [url, directUrl, entry.config.schema].join(' ');
  }
}

function placeOf({ workspace, group: { address } }: Member): string {
  return [address.url, address.directUrl, workspace.schemas.mirror].join(' ');
}

/** By what they say: both were read from text, and hold nothing else. */
function isSame(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
