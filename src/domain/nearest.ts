/**
 * The one of `words` that was most likely meant; null where none is near.
 *
 * @param most letters that may be wrong; a third where left out.
 */
export function nearest(
  word: string,
  words: Iterable<string>,
  most = Math.max(1, Math.floor(word.length / 3)),
): string | null {
  let best: { readonly word: string; readonly distance: number } | null = null;
  for (const candidate of words) {
    const distance = distanceOf(word.toLowerCase(), candidate.toLowerCase());
    if (distance <= most && distance < (best?.distance ?? Number.POSITIVE_INFINITY)) {
      best = { word: candidate, distance };
    }
  }
  return best?.word ?? null;
}

/** How many letters have to be put in, taken out, or exchanged for another (Levenshtein). */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (let i = 0; i < a.length; i += 1) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j += 1) {
      const replaced = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
