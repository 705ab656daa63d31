import { BEFORE_FLEETS, buildAt } from './baseline.ts';
import { atMost, show } from './figures.ts';
import { measureCommits } from './measure-commits.ts';
import type { Told } from './parts.ts';
import type { Postgres } from './postgres.ts';
import { withEmulator } from './stage.ts';

const PER_SECOND = 2;
const ALONE = { perSecond: PER_SECOND, commits: 30 };
/** Fifty seconds of the minute in which the list of changes holds the bulk change. */
const COMMITS = 100;
/** What it was is known with fewer. */
const COMMITS_BEFORE = 40;

/** Single commits right after a bulk change, beside single commits alone and the build of before. */
export async function afterPart(postgres: Postgres, { tell, sizes }: Told): Promise<void> {
  const { changes } = sizes;
  const measure = async (commits: number, program?: string) =>
    await withEmulator(changes + 5_000, (emulator) =>
      measureCommits(
        { emulator, postgres },
        [ALONE, { perSecond: PER_SECOND, commits, afterRows: changes }],
        program,
      ),
    );
  const before = await buildAt(BEFORE_FLEETS);
  const [beforeAlone, beforeAfter] = await measure(COMMITS_BEFORE, before);
  const [alone, after] = await measure(COMMITS);
  if (!alone || !after || !beforeAlone || !beforeAfter) throw new Error('nothing was committed');
  const what = `a commit in the minute after ${show(changes)} changed rows`;
  const ms = (value: number) => `${show(value)} ms`;
  tell({
    name: `${what}, median, to one alone`,
    value: after.medianMs / alone.medianMs,
    unit: 'times',
    limit: atMost(2),
    note: `${ms(after.medianMs)} beside ${ms(alone.medianMs)}; at ${BEFORE_FLEETS} ${ms(beforeAfter.medianMs)} beside ${ms(beforeAlone.medianMs)}`,
  });
  tell({
    name: `${what}, 99th percentile`,
    value: after.worst1PercentMs,
    unit: 'ms',
    limit: atMost(500),
    note: `of ${COMMITS}, alone ${ms(alone.worst1PercentMs)} of ${ALONE.commits}; at ${BEFORE_FLEETS} ${ms(beforeAfter.worst1PercentMs)} of ${COMMITS_BEFORE}`,
  });
}
