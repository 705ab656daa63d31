/**
 * An SQL condition: the two say different things. A server may send an empty collection as null
 * now and as empty then; to write that down each time would be news about nothing.
 */
export function isDistinct(sqlType: string, left: string, right: string): string {
  if (sqlType !== 'text[]') return `${left} IS DISTINCT FROM ${right}`;
  return `coalesce(${left}, '{}') IS DISTINCT FROM coalesce(${right}, '{}')`;
}
