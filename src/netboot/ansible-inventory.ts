import { MkrootError } from '../errors.js';
import { hostLabel, ipv4Address } from './checked-value.js';
import type { JsonValue, NetbootNode } from './netboot-site.js';
import { nodesByGroup } from './node-groups.js';

const place = 'an Ansible inventory';

/**
 * A YAML inventory of Ansible: hosts with address and variables, and groups. Hyphens in names of groups become underscores, and one goes before a digit,
 * because Ansible takes groups for names of variables. Text that Ansible would expand as a template is marked !unsafe.
 */
export function renderAnsibleInventory(
  nodes: readonly Pick<NetbootNode, 'name' | 'address' | 'groups' | 'variables'>[],
): string {
  const hosts = nodes.map(({ name, address, variables = {} }) => {
    const values = { ansible_host: ipv4Address(place, 'the address', address), ...variables };
    return `    ${yamlText(hostLabel(place, name))}: ${yamlValue(values)}\n`;
  });
  const groups = ansibleGroups(nodes).map(
    ([group, names]) =>
      `    ${yamlText(group)}:\n      hosts:\n${names.map((name) => `        ${yamlText(name)}:\n`).join('')}`,
  );
  return `# Written by mkroot.\nall:\n  hosts:${hosts.length === 0 ? ' {}\n' : `\n${hosts.join('')}`}  children:${
    groups.length === 0 ? ' {}\n' : `\n${groups.join('')}`
  }`;
}

function ansibleGroups(nodes: readonly Pick<NetbootNode, 'name' | 'groups'>[]) {
  const taken = new Map<string, string>();
  return [...nodesByGroup(place, nodes)].map(([group, names]) => {
    const name = group.replaceAll('-', '_').replace(/^\d/, '_$&');
    const other = taken.get(name);
    if (other !== undefined) {
      throw new MkrootError(
        `Cannot write the group "${group}" to ${place}: there "${other}" has the same name`,
        { hint: 'Ansible has no hyphens in names of groups; rename one of them.' },
      );
    }
    taken.set(name, group);
    return [name, names] as const;
  });
}

/** A value in YAML's flow style, on one line. */
function yamlValue(value: JsonValue): string {
  if (typeof value === 'string')
    return /\{[{%#]/.test(value) ? `!unsafe ${yamlText(value)}` : yamlText(value);
  // YAML 1.1 wants a point in numbers with an exponent.
  if (typeof value === 'number') return String(value).replace(/^(-?\d+)e/, '$1.0e');
  if (value === null || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return `[${value.map(yamlValue).join(', ')}]`;
  const fields = Object.entries(value).map(([key, field]) => `${yamlText(key)}: ${yamlValue(field)}`);
  return `{${fields.join(', ')}}`;
}

/** A double-quoted scalar; everything but printable ASCII as an escape, which no YAML reader splits or refuses. */
function yamlText(text: string): string {
  let quoted = '';
  for (const char of text) {
    const code = char.codePointAt(0)!;
    if (char === '"' || char === '\\') quoted += `\\${char}`;
    else if (code >= 0x20 && code < 0x7f) quoted += char;
    else if (code > 0xffff) quoted += `\\U${code.toString(16).padStart(8, '0')}`;
    else if (code >= 0xd800 && code <= 0xdfff) {
      throw new MkrootError(`Cannot write "${text}" to ${place}: it is no valid Unicode text`);
    } else quoted += `\\u${code.toString(16).padStart(4, '0')}`;
  }
  return `"${quoted}"`;
}
