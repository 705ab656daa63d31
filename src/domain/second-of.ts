/**
 * A second of the minute, always the same for a name and another for most others: many workspaces of
 * one process do not all begin at once.
 */
export function secondOf(name: string): number {
  // FNV-1a, by its lower digits: those of names that differ in their last one alone come apart.
  let hash = 0x811c9dc5;
  for (const character of name) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return hash % 60;
}
