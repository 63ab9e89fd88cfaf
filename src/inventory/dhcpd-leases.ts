import type { Problem } from '../decode/problem.js';
import { parseIpv4 } from './ipv4.js';
import { normalizeMac } from './mac.js';
import { seenName } from './seen-name.js';
import type { Sighting, Sightings } from './sighting.js';

interface Token {
  readonly text: string;
  readonly line: number;
}

/**
 * ISC dhcpd's dhcpd.leases(5): a log of `lease ADDRESS { ... }` and `host NAME { ... }` declarations, later ones replacing
 * earlier ones. dhcpd may be writing it: a last declaration that is not closed is passed over.
 */
export function decodeDhcpdLeases(text: string, file: string): Sightings {
  const problems: Problem[] = [];
  const sightings: Sighting[] = [];
  const tokens = tokenize(text);
  for (let at = 0; at < tokens.length; ) {
    const start = at;
    while (at < tokens.length && tokens[at]!.text !== '{' && tokens[at]!.text !== ';') at += 1;
    const head = tokens.slice(start, at);
    if (at === tokens.length) {
      const text = head.map((token) => token.text).join(' ');
      const { line } = head[0]!;
      problems.push({
        position: { file, line, column: 1 },
        message: `"${text.length > 40 ? `${text.slice(0, 40)}...` : text}" is no whole declaration of dhcpd.leases`,
      });
      break;
    }
    if (tokens[at]?.text !== '{') {
      at += 1;
      continue;
    }
    const end = closing(tokens, at);
    const [kind, name] = head;
    if (end === undefined) {
      const { line } = head[0] ?? tokens[at]!;
      problems.push({ position: { file, line, column: 1 }, message: 'this declaration is not finished yet' });
      break;
    }
    if (kind !== undefined && name !== undefined && (kind.text === 'lease' || kind.text === 'host')) {
      sightings.push(...declared(kind.text, name.text, tokens.slice(at + 1, end), kind.line));
    }
    at = end + 1;
  }
  return { sightings, problems };
}

/** What a declaration tells of a machine; nothing without a hardware address, as in a lease that was given up. */
function declared(kind: string, name: string, body: readonly Token[], line: number): Sighting[] {
  let mac: string | undefined;
  let ip = kind === 'lease' ? name : '';
  let hostname = kind === 'host' ? name : '';
  const fixed = kind === 'host' ? { fixed: true as const } : {};
  for (const statement of statements(body)) {
    const [first = '', second = '', third = ''] = statement;
    if (first === 'hardware' && second === 'ethernet') mac = normalizeMac(third);
    if (first === 'fixed-address') ip = second;
    if (first === 'client-hostname') hostname = second;
  }
  if (mac === undefined) return [];
  return [{ mac, ...(parseIpv4(ip) === undefined ? {} : { ip, ...fixed }), ...seenName(hostname), line }];
}

function statements(body: readonly Token[]): string[][] {
  const found: string[][] = [[]];
  for (const { text } of body) {
    if (text === ';' || text === '{' || text === '}') found.push([]);
    else found.at(-1)!.push(text);
  }
  return found;
}

/** Index of the brace that closes the one at `open`. */
function closing(tokens: readonly Token[], open: number): number | undefined {
  let depth = 0;
  for (let at = open; at < tokens.length; at += 1) {
    if (tokens[at]!.text === '{') depth += 1;
    if (tokens[at]!.text === '}') depth -= 1;
    if (depth === 0) return at;
  }
  return undefined;
}

/** Words, texts in quotes without these, `{`, `}` and `;`; comments from `#` to the end of the line are left out. */
function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  for (const [token] of text.matchAll(/\n|#[^\n]*|"(?:[^"\\\n]|\\.)*"|[{};]|[^\s{};#"]+/g)) {
    if (token === '\n') line += 1;
    else if (!token.startsWith('#')) {
      tokens.push({ text: token.startsWith('"') ? token.slice(1, -1) : token, line });
    }
  }
  return tokens;
}
