import type { Figure } from './figures.ts';
import { runNode } from './process.ts';

const LINE = /^(.*): (.*): ([\d.]+) times/;

/** What capture costs bulk updates: `bench/capture.ts`, which also runs by itself. */
export async function measureCapture(): Promise<readonly Figure[]> {
  const { stdout } = await runNode(['--import', 'tsx', 'bench/capture.ts'], {}, [0, 1]);
  return stdout.split('\n').flatMap((line): Figure[] => {
    const [, columns = '', times = '', ratio = ''] = LINE.exec(line) ?? [];
    if (ratio === '') return [];
    return [
      {
        name: `capture of a bulk update of 100,000 rows, ${columns}`,
        value: Number(ratio),
        unit: 'times',
        limit: { kind: 'at most', value: 3.5 },
        note: times,
      },
    ];
  });
}
