import { atLeast, type Figure, median, show } from '../figures.ts';

/** One of several programs with the same job; the first of a list is what the others are compared with. */
export interface Side<T> {
  readonly name: string;
  readonly program: T;
  /** How many times as fast the first has to be. */
  readonly ahead?: number;
}

/** What a whole run took, from the start of the command to its end. */
export interface WholeRun {
  readonly perSecond: number;
  /** Of the client and of Postgres, the start included, microseconds a record. */
  readonly clientMicros: number;
  readonly databaseMicros: number | null;
  readonly residentBytes: number;
}

export interface Turns<T, R> {
  readonly side: Side<T>;
  /** One for each round, in which every side had its turn. */
  readonly runs: readonly R[];
}

/** Records a second of each side, round by round: what the plot shows. */
export interface Beside {
  readonly what: string;
  readonly sides: readonly { readonly name: string; readonly rates: readonly number[] }[];
}

/** Every side once a round, and another one first each time. */
export async function takeTurns<T, R>(
  sides: readonly Side<T>[],
  rounds: number,
  measure: (program: T) => Promise<R>,
): Promise<readonly Turns<T, R>[]> {
  const turns = sides.map((side) => ({ side, runs: [] as R[] }));
  for (let round = 0; round < rounds; round += 1) {
    for (let place = 0; place < sides.length; place += 1) {
      const turn = turns[(round + place) % sides.length];
      turn?.runs.push(await measure(turn.side.program));
    }
  }
  return turns;
}

/** How many times as fast the first side was, round by round, and what each took. */
export function compareTurns<T>(
  what: string,
  [first, ...others]: readonly Turns<T, WholeRun>[],
  tell: (figure: Figure) => void,
): Beside {
  if (first === undefined) return { what, sides: [] };
  tell({
    name: `${what}, start and end of the program included`,
    value: median(first.runs.map(({ perSecond }) => perSecond)),
    unit: 'records/s',
    note: describeRuns(first.runs),
  });
  for (const { side, runs } of others) {
    const times = runs.map((their, round) => (first.runs[round]?.perSecond ?? 0) / their.perSecond);
    tell({
      name: `${what}, to ${side.name}`,
      value: median(times),
      unit: 'times',
      ...(side.ahead !== undefined && { limit: atLeast(side.ahead) }),
      note: `median of ${times.map(show).join(', ')}, ${show(usedBy(runs) / usedBy(first.runs))} by processor time; ${describeRuns(runs)}`,
    });
  }
  const sides = [first, ...others].map(({ side, runs }) => ({
    name: side.name,
    rates: runs.map(({ perSecond }) => perSecond),
  }));
  return { what, sides };
}

/** Processor time of client and Postgres together, microseconds a record; NaN where nobody tells. */
function usedBy(runs: readonly WholeRun[]): number {
  const used = ({ clientMicros, databaseMicros }: WholeRun) =>
    clientMicros + (databaseMicros ?? Number.NaN);
  return median(runs.map(used));
}

function describeRuns(runs: readonly WholeRun[]): string {
  const middle = (of: (run: WholeRun) => number) => show(median(runs.map(of)));
  const rates = runs.map(({ perSecond }) => show(perSecond)).join(', ');
  const client = middle((run) => run.clientMicros);
  const database = middle((run) => run.databaseMicros ?? Number.NaN);
  const megabytes = middle((run) => run.residentBytes / 1_000_000);
  return `${rates} records/s; processor time ${client} + ${database} µs a record (client + Postgres); ${megabytes} MB`;
}
