/** What dnf is doing, from a line of its output, in words for a progress line; undefined for lines that say nothing new. */
export function dnfActivity(line: string): string | undefined {
  const step =
    /^ *(?:\[ *(\d+\/\d+)\] )?(Installing|Upgrading|Running scriptlet|Verifying) *:? +(\S+)(?:.*?(\d+\/\d+) *$)?/i.exec(
      line,
    );
  if (step !== null) {
    const [, before, verb, subject, after] = step;
    const count = before ?? after;
    return `${verb!.toLowerCase()} ${subject}${count === undefined ? '' : ` (${count})`}`;
  }
  const download = /^(?:\((\d+\/\d+)\): |\[ *(\d+\/\d+)\] )(\S+).*\|/.exec(line);
  if (download !== null) return `downloading ${download[3]} (${download[1] ?? download[2]})`;
  return undefined;
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /is not signed|GPG check FAILED|signature (?:is )?(?:not OK|bad)|public key (?:is|was) not (?:available|installed)|keys? (?:listed|already installed).*not correct|key import failed|failed to retrieve gpg key|no corresponding key|does not verify/i,
    'Check which key the repository signs its packages with, and name its file under rpm.repositories[].keys.',
  ],
  [
    /checksum doesn't match|checksum error|no more mirrors to try|file size|curl error|cannot download|failed to download|interrupted/i,
    'The repository is broken, changing or out of reach: try again, or name another mirror under rpm.repositories[].baseurl.',
  ],
  [
    /conflicts with|conflicting requests|nothing provides|none of the providers|cannot install both/i,
    'Leave one of the packages out (packages, rpm.excludes), or add the repository that has what is missing.',
  ],
  [
    /no match for argument|unable to find a match|no match for group|unable to resolve argument|missing groups or modules/i,
    'Check names and versions against what the repositories have.',
  ],
];

/** What the user can do about a failure of dnf, from its words; undefined when nothing in them is known. */
export function dnfHint(lines: readonly string[]): string | undefined {
  return HINTS.find(([words]) => lines.some((line) => words.test(line)))?.[1];
}
