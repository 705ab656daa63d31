import { readFileSync } from 'node:fs';

/** A row of an answer: texts by column, numbers where all of a column are, null where a cell is empty. */
export type AnswerRow = Readonly<Record<string, string | number | null>>;

const PAGE = new URL('../docs/analytics.md', import.meta.url);

/**
 * The answer that `docs/analytics.md` shows to the question of a plot: the table before its picture. That it is
 * the answer to the query is what `test/pg/analytics.test.ts` tries.
 *
 * @throws where the page has no such picture, or no answer before it
 */
export function readAnswer(picture: string): readonly AnswerRow[] {
  const [before, after] = readFileSync(PAGE, 'utf8').split(`](plots/${picture})`);
  const table = before?.split('```text\n').at(-1)?.split('\n```')[0];
  if (after === undefined || table === undefined) throw new Error(`no answer for ${picture}`);
  const [head = '', , ...lines] = table.split('\n');
  const names = cells(head);
  return lines.map((line) => {
    const row = cells(line);
    return Object.fromEntries(names.map((name, n) => [name, valueOf(row[n] ?? '')]));
  });
}

function cells(line: string): string[] {
  return line.split('|').map((cell) => cell.trim());
}

function valueOf(text: string): string | number | null {
  if (text === '') return null;
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}
