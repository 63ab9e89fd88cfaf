/**
 * What apt and dpkg are doing, from a line of their output, in words for a progress line; undefined for lines that say
 * nothing new. Understands APT::Status-Fd (README.progress-reporting of apt) and the plain output of apt-get and dpkg.
 */
export function aptActivity(line: string): string | undefined {
  const status = /^(dlstatus|pmstatus):([^:]*(?::[a-z0-9]+)?):([\d.]+):(.*)$/.exec(line);
  if (status !== null) {
    const [, kind, subject, percent, text] = status;
    const rounded = `${Math.floor(Number(percent))} %`;
    if (kind === 'dlstatus') return `downloading ${rounded}`;
    return subject === 'dpkg-exec' ? undefined : `${(text ?? '').trim()} ${rounded}`;
  }
  const get = /^Get:\d+ \S+ (.+?)(?: \[.*)?$/.exec(line);
  if (get !== null) {
    // "SUITE ARCH PACKAGE ARCH VERSION", or "SUITE InRelease" and the like.
    const words = get[1]!.split(' ');
    return `downloading ${words.length >= 5 ? words[2] : words.join(' ')}`;
  }
  const dpkg = /^(Unpacking|Setting up|Processing triggers for) (\S+)/.exec(line);
  if (dpkg !== null) return `${dpkg[1]!.toLowerCase()} ${dpkg[2]!}`;
  const info = /^I: (.+)$/.exec(line);
  if (info !== null) return info[1]!.replace(/\.\.\.$/, '');
  return undefined;
}

/** True for the lines that APT::Status-Fd adds; they are noise in a tail of the output. */
export function isStatusLine(line: string): boolean {
  return /^(dlstatus|pmstatus|pmerror|pmconffile|media-change):/.test(line);
}
