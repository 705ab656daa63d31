import type { RemoteError } from '../../domain/errors.ts';
import { stringifyJson } from '../../domain/json.ts';
import type { CallOptions } from '../../domain/remote.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import type { Outgoing } from '../outgoing.ts';
import type { Sent } from '../sent.ts';
import { notStarted } from './call.ts';
import { createDensity } from './density.ts';
import { createHearsay } from './hearsay.ts';
import { givenBy } from './moving-values.ts';
import { ask, isItsOwn, type Told } from './refusal.ts';
import { askedAgain, type Sending, type SendOptions } from './sending.ts';

export type Named = ReadonlyMap<Outgoing, RemoteError>;

/**
 * Asks a CRM to take changes in bulk, and holds what its answers have told so far: who is still to be asked
 * about, and in what company. Reports each change as soon as its fate is known.
 */
export class Inquiry {
  /** Hold the same value as one that was refused for it: they spoil no batch of others. */
  readonly alike: Outgoing[] = [];
  /** Named among others; what they clash with may have been among those, and come before them. */
  readonly suspects: Outgoing[] = [];
  /** Of whom only a call of his own tells. */
  readonly alone: Outgoing[] = [];
  readonly density = createDensity();
  /** Whether the server may name all that it refuses: it named several, or nobody else was to blame. */
  mayNameAll = false;
  /** Changes in a row that something before the API did not let through. */
  intercepted = 0;

  readonly #deps: Sending;
  readonly #schema: ObjectSchema;
  readonly #isStopped: () => boolean;
  readonly #report: SendOptions['report'];
  readonly #attempts: CallOptions;
  readonly #givers: (change: Outgoing) => readonly Outgoing[];
  /** Their fate is not known yet. */
  readonly #open: Set<Outgoing>;
  /** What was refused for a field's value. */
  readonly #causes = new Set<string>();
  /** Whom hearsay asked about. */
  readonly #asked = new Set<Outgoing>();
  readonly #hearsay = createHearsay((change) => this.#askAlone(change));

  constructor(
    deps: Sending,
    schema: ObjectSchema,
    changes: readonly Outgoing[],
    options: SendOptions & { readonly isStopped: () => boolean },
  ) {
    const { report, isStopped, ...callOptions } = options;
    this.#deps = deps;
    this.#schema = schema;
    this.#isStopped = isStopped;
    this.#report = report;
    this.#attempts = askedAgain(() => !isStopped() && deps.mayStart(), callOptions);
    this.#givers = givenBy(schema, changes);
    this.#open = new Set(changes);
  }

  get isStopped(): boolean {
    return this.#isStopped();
  }

  /** @returns null where nothing may be sent any more, and what was to be is settled. */
  async call(batch: readonly Outgoing[]): Promise<Told | null> {
    if (this.isStopped) return null;
    if (!this.#deps.mayStart()) {
      await this.settle(batch.map((change) => ({ kind: 'failed', change, error: notStarted() })));
      return null;
    }
    const told = await ask(this.#deps, this.#schema, batch, this.#attempts);
    if (told.kind !== 'refused') return told;
    const named = [...told.named].filter((one) => !this.#hearsay.isDenied(...one));
    if (named.length > 1) this.mayNameAll = true;
    return { kind: 'refused', named: new Map(named) };
  }

  async settle(results: readonly Sent[]): Promise<void> {
    for (const one of results) {
      this.#open.delete(one.change);
      if (one.kind === 'refused') this.#learn(one.change, one.error);
    }
    if (results.length > 0) await this.#report(results);
  }

  /**
   * {@link settle}, but for those that were refused a value that another, who goes at the same time, is about
   * to give up.
   */
  async conclude(results: readonly Sent[]): Promise<void> {
    const isEarly = ({ kind, change }: Sent) =>
      kind === 'refused' &&
      this.#givers(change).some((giver) => giver !== change && this.#open.has(giver));
    const early = results.filter(isEarly);
    this.alone.push(...early.map(({ change }) => change));
    this.density.took(results.filter(({ kind }) => kind === 'delivered').length);
    if (results.some(isRefusal)) this.density.refused();
    await this.settle(early.length === 0 ? results : results.filter((one) => !isEarly(one)));
  }

  /** Puts off whoever holds what another was refused for. */
  isSetApart(change: Outgoing): boolean {
    if (this.#causes.size === 0) return false;
    const isAlike = Object.entries(change.fields).some((said) =>
      this.#causes.has(stringifyJson(said)),
    );
    if (isAlike) this.alike.push(change);
    return isAlike;
  }

  /** Puts off whom an answer names among others. */
  suspect(named: Named): void {
    for (const [change, error] of named) {
      this.#learn(change, error);
      (isItsOwn(this.#schema, change, error) ? this.suspects : this.alone).push(change);
    }
  }

  /**
   * Settles those of a refused call that names everybody, where nobody can be named in another's place.
   *
   * @returns those of whom it told nothing.
   */
  async blame(named: Named): Promise<readonly Outgoing[]> {
    const own = [...named].filter((one) => isItsOwn(this.#schema, ...one));
    const others = [...named].filter((one) => !isItsOwn(this.#schema, ...one));
    this.alone.push(...others.map(([change]) => change));
    const believed = await this.#hearsay.believe(own);
    const rest = own.filter(([change]) => !this.#asked.has(change));
    await this.settle(
      rest.flatMap(([change, error]) =>
        believed.has(change) ? [{ kind: 'refused', change, error }] : [],
      ),
    );
    return rest.flatMap(([change]) => (believed.has(change) ? [] : [change]));
  }

  async #askAlone(change: Outgoing): Promise<Sent | null> {
    this.#asked.add(change);
    const told = await this.call([change]);
    if (told?.kind !== 'settled') return null;
    await this.conclude(told.results);
    return told.results[0] ?? null;
  }

  #learn(change: Outgoing, error: RemoteError): void {
    const cause = isItsOwn(this.#schema, change, error) ? causeOf(change, error.field) : null;
    if (cause !== null) this.#causes.add(cause);
  }
}

export function isRefusal({ kind }: Sent): boolean {
  return kind === 'refused' || kind === 'gone';
}

function causeOf({ fields }: Outgoing, field: string | undefined): string | null {
  if (field === undefined || !Object.hasOwn(fields, field)) return null;
  return stringifyJson([field, fields[field] ?? null]);
}
