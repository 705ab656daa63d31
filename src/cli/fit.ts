import { stripVTControlCharacters } from 'node:util';

const PLAIN = /^[ -~]*$/;

/** What each takes a place on the screen. Node reads its tables of languages for the first that is not plain, for 10 ms. */
function symbolsOf(text: string): readonly string[] {
  const shown = stripVTControlCharacters(text);
  if (PLAIN.test(shown)) return shown.split('');
  return Array.from(new Intl.Segmenter('en').segment(shown), ({ segment }) => segment);
}

export function lengthOf(text: string): number {
  return symbolsOf(text).length;
}

/** No longer than `width`. What is cut loses its colour: half an escape sequence would colour the rest of the screen. */
export function cut(text: string, width: number): string {
  if (lengthOf(text) <= width) return text;
  return `${symbolsOf(text)
    .slice(0, width - 1)
    .join('')}…`;
}

/** What is quoted is a command to copy, or a name. */
const WORD = /(?:[^\s`]|`[^`]*`|`)+/g;

/** As lines no longer than `width`, broken between words alone: a word that is longer stays whole. */
export function wrapped(text: string, width: number, indent = ''): string[] {
  if (lengthOf(text) <= width) return [text];
  const words = text.match(WORD) ?? [];
  const lines: string[] = [];
  let line = '';
  for (const word of words.flatMap((one) => (lengthOf(one) > width ? one.split(' ') : one))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line === '' || lengthOf(longer) <= width) {
      line = longer;
    } else {
      lines.push(line);
      line = indent + word;
    }
  }
  return [...lines, line];
}

/** Sentences, for people: what goes on below itself is set in. */
export function prose(lines: readonly string[], { width }: { readonly width: number }): string[] {
  return lines.flatMap((line) => wrapped(line, width, '  '));
}
