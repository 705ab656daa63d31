import type pg from 'pg';

/** Types whose columns are set to the right: integers, floats and `numeric`. */
const NUMBERS = new Set([20, 21, 23, 700, 701, 1700]);

/** The answer to a query as the pages show it. The rows' values are texts, as Postgres gave them. */
export function answerText({ fields, rows }: pg.QueryArrayResult<(string | null)[]>): string {
  const columns = fields.map(({ name, dataTypeID }, n) => {
    const isNumber = NUMBERS.has(dataTypeID);
    const cells = rows.map((row) => shown(row[n] ?? '', isNumber));
    const width = Math.max(...[name, ...cells].map((text) => text.length));
    return { name, width, cells, isNumber };
  });
  const line = (cells: readonly string[]) => cells.join(' | ').trimEnd();
  const head = line(columns.map(({ name, width }) => name.padEnd(width)));
  const rule = columns.map(({ width }) => '-'.repeat(width)).join('-+-');
  const body = rows.map((_, row) =>
    line(
      columns.map(({ cells, width, isNumber }) => {
        const text = cells[row] ?? '';
        return isNumber ? text.padStart(width) : text.padEnd(width);
      }),
    ),
  );
  return [head, rule, ...body].join('\n');
}

/** Two decimals do where the others are zeros. */
function shown(text: string, isNumber: boolean): string {
  return isNumber ? text.replace(/(\.\d\d\d*?)0+$/, '$1') : text;
}
