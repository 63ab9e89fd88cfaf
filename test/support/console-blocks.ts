/** A command of a document, and what it says that it prints. */
export interface DocumentedCommand {
  readonly command: string;
  /** Lines of standard output; `...` stands for any number of lines. */
  readonly output: readonly string[];
}

/** The commands of a document's blocks of the kind `console`: lines that start with a prompt (`# ` or `$ `), in their order. */
export function documentedCommands(markdown: string): DocumentedCommand[] {
  const blocks = [...markdown.matchAll(/^```console\n([\s\S]*?)^```$/gm)].map(([, text]) => text!);
  const commands: { command: string; output: string[] }[] = [];
  for (const line of blocks.flatMap((block) => block.trimEnd().split('\n'))) {
    const command = /^[#$] (.*)$/.exec(line)?.[1];
    if (command !== undefined) commands.push({ command, output: [] });
    else commands.at(-1)?.output.push(line);
  }
  return commands;
}

/** A line without what differs from run to run: numbers, ids, times, widths of columns. */
export function masked(line: string): string {
  return line
    .replace(/\b[0-9a-f]{8,}\b…?/g, 'ID')
    .replace(/[0-9]+(\.[0-9]+)?/g, '0')
    .replace(/\s+/g, ' ')
    .trimEnd();
}

/** Whether the lines that were printed are those of the document, numbers and ids aside. */
export function isAsDocumented(documented: readonly string[], printed: readonly string[]): boolean {
  const [first, ...rest] = documented;
  if (first === undefined) return printed.length === 0;
  if (first === '...') {
    return printed.some((_, index) => isAsDocumented(rest, printed.slice(index))) || rest.length === 0;
  }
  return (
    printed.length > 0 && masked(first) === masked(printed[0]!) && isAsDocumented(rest, printed.slice(1))
  );
}
