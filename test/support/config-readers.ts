import { parse } from 'yaml';

/**
 * Second readers of the formats that mkroot writes: each takes a file apart into the things that its program would see
 * there, without their values. A value that breaks out of its place shows up as one more thing, or as another.
 */
export type ConfigReader = (text: string) => readonly string[];

const linesOf = (text: string) => text.replace(/\n$/, '').split('\n');

/** PXELINUX: one directive per line, its first word. LINUX is KERNEL without guessing by the name. */
const pxelinux: ConfigReader = (text) =>
  linesOf(text).map((line) => /^\s*(\S*)/.exec(line)![1]!.replace('LINUX', 'KERNEL'));

/** Number of words of each line. */
const wordCounts: ConfigReader = (text) =>
  linesOf(text).map((line) => (line.startsWith('#') ? '#' : String(line.split(/\s+/).length)));

/** dnsmasq.conf: keys, and the number of fields outside quotes. */
const dnsmasq: ConfigReader = (text) =>
  linesOf(text).map((line) => {
    if (/[^ -~]/.test(line)) throw new Error(`control character: ${line}`);
    const [key, ...rest] = line.split('=');
    const fields = rest
      .join('=')
      .replaceAll(/"[^"]*"/g, 'q')
      .split(',').length;
    return line.startsWith('#') ? '#' : `${key} ${fields} ${line.split('#').length}`;
  });

/** dhcpd.conf and ganesha.conf: everything but values, which are quoted or words. */
const statements: ConfigReader = (text) =>
  linesOf(text).map((line) =>
    line.startsWith('#')
      ? '#'
      : line
          .replaceAll(/"[^"\\]*"/g, 'V')
          .replaceAll(/\b[A-Za-z0-9.:/-]*\d[A-Za-z0-9.:/-]*\b/g, 'V')
          .replace(/^host \S+ /, 'host V '),
  );

/** A shell-like script: per line the number of commands and of words outside single quotes. */
const grub: ConfigReader = (text) =>
  linesOf(text).map((line) => {
    let [commands, words, quote, inWord] = [1, 0, '', false];
    for (const char of line) {
      if (quote !== '') {
        if (char === quote) quote = '';
        continue;
      }
      if (char === '\\') throw new Error(`backslash: ${line}`);
      if (char === "'" || char === '"') quote = char;
      if (char === ';' || char === '&' || char === '|') commands += 1;
      if (char !== ' ' && !inWord) words += 1;
      inWord = char !== ' ';
    }
    if (quote !== '') throw new Error(`open quote: ${line}`);
    const expanded = line.replaceAll(/'[^']*'/g, '').match(/\$\{?\w+/g) ?? [];
    return `${commands} ${words} ${/^\s*\S*/.exec(line)![0]} ${expanded.join()}`;
  });

/** rsyncd.conf: modules, names of parameters, and the number of words of each value. */
const rsyncd: ConfigReader = (text) =>
  linesOf(text).map((line) => {
    if (/[^ -~]/.test(line)) throw new Error(`control character: ${line}`);
    if (line.startsWith('[')) return `module ${line.split(']').length} ${line.split(/\s/).length}`;
    const [name, value = ''] = line.split(/ = (.*)/s);
    return line.startsWith('#') ? '#' : `${name} ${value.split(/\s+/).length} ${value.split(/[#;]/).length}`;
  });

/** An iPXE script: command, operators and expansions of each line. */
const ipxe: ConfigReader = (text) =>
  linesOf(text).map((line) => {
    if (line.startsWith('#')) return '#';
    const words = line.split(/\s+/);
    const operators = words.filter((word) => /^(\|\||&&|;|#.*)$/.test(word));
    return [
      words[0]!.startsWith(':') ? ':' : words[0],
      ...operators,
      ...(line.match(/\$\{[^}]*\}/g) ?? []),
    ].join(' ');
  });

const json: ConfigReader = (text) => [...shape(JSON.parse(text))];

/** YAML by another library; keys below `children` and `hosts` are names. */
const yaml: ConfigReader = (text) => {
  const value = parse(text, {
    version: '1.1',
    customTags: [{ tag: '!unsafe', resolve: (scalar: string) => scalar }],
  });
  return [...shape(value)];
};

function* shape(value: unknown, path = ''): Iterable<string> {
  if (typeof value !== 'object' || value === null) yield `${path} ${typeof value}`;
  else if (Array.isArray(value)) for (const item of value) yield* shape(item, `${path}[]`);
  else for (const item of Object.values(value)) yield* shape(item, `${path}/*`);
}

const byPath: readonly (readonly [pattern: RegExp, reader: ConfigReader])[] = [
  [/dnsmasq/, dnsmasq],
  [/dhcpd|ganesha/, statements],
  [/kea/, json],
  [/exports|hosts$|ethers|known_hosts|genders$/, wordCounts],
  [/\/dsh\//, wordCounts],
  [/rsyncd/, rsyncd],
  [/\.yaml$/, yaml],
  [/local\.cfg$/, wordCounts],
  [/pxelinux/, pxelinux],
  [/grub/, grub],
  [/ipxe/, ipxe],
];

/** What is in a file of the netboot tree, without the values. */
export function structureOf(path: string, text: string): string[] {
  const reader = byPath.find(([pattern]) => pattern.test(path))?.[1];
  if (reader === undefined) throw new Error(`no reader for ${path}`);
  return [...reader(text)].sort();
}
