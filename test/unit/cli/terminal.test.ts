import fc from 'fast-check';
import { expect, test } from 'vitest';
import { painter, printable } from '../../../src/cli/terminal.ts';
import { recordingTerminal } from './recording-terminal.ts';

test('colours only on a terminal that shows them', () => {
  const { terminal } = recordingTerminal({ colours: true });
  expect(painter(terminal.out)('red', 'x')).toBe('\u001b[31mx\u001b[0m');
  expect(painter({ write: () => {}, isTTY: true, hasColors: () => false })('red', 'x')).toBe('x');
  expect(painter({ write: () => {}, isTTY: false, hasColors: () => true })('red', 'x')).toBe('x');
  expect(painter({ write: () => {} })('red', 'x')).toBe('x');
});

test('takes escape sequences and turned-round text out of what others wrote', () => {
  expect(printable('a\u001b[2Jb\r\nc')).toBe('a·[2Jb··c');
  expect(printable('\u202egnp.exe')).toBe('·gnp.exe');
  expect(printable('Zoë 北京 🚀')).toBe('Zoë 北京 🚀');
});

test('printable text holds no control character and stays on one line', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme-composite', maxLength: 20 }),
      fc.nat(0xffff),
      (text, code) => {
        expect(printable(`${text}${String.fromCharCode(code)}${text}`)).not.toMatch(/\p{Cc}/u);
      },
    ),
  );
});
