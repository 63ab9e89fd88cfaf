/** CSI and other escape sequences (ECMA-48), as SeaBIOS, iPXE and systemd print them on a serial line. */
const ESCAPE_SEQUENCE = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007]*\u0007|[ -/]*[0-~])/g;

/**
 * A line of a serial console for people and for patterns: without escape sequences, with backspaces carried out,
 * and with parts that overprint each other one after the other.
 */
export function plainConsoleLine(line: string): string {
  const text = line.replace(ESCAPE_SEQUENCE, '').replace(/\r+$/, '');
  return erase(text)
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '')
    .split('\r')
    .filter((part) => part.trim() !== '')
    .join(' ');
}

/** Carries out backspaces: each takes away the character before it. */
function erase(text: string): string {
  if (!text.includes('\b')) return text;
  const kept: string[] = [];
  for (const char of text) {
    if (char === '\b') kept.pop();
    else kept.push(char);
  }
  return kept.join('');
}
