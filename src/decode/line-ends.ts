/**
 * Edits a text of lines that end with LF, and gives it the line ends that it had: a file of Windows (CRLF) stays one. A text that
 * has both is edited as it is.
 */
export function editLines(text: string, edit: (text: string) => string): string {
  if (!text.includes('\r\n') || /(?<!\r)\n/.test(text)) return edit(text);
  return edit(text.replaceAll('\r\n', '\n')).replaceAll('\n', '\r\n');
}
