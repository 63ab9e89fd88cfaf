import { positionText } from '../decode/position.js';
import { textTable } from '../ports/text-table.js';
import type { Node } from './node.js';
import type { Origin, ResolvedNode } from './resolve-node.js';

/** Nodes as lines: name, MAC, address, group, image. */
export function nodeTable(nodes: readonly Node[]): string[] {
  const rows = nodes.map(({ name, mac = '-', ip, group, image, boot }) => [
    name,
    mac,
    ip,
    group,
    boot === 'image' ? image : `${image} (boots ${boot})`,
  ]);
  return textTable([['NAME', 'MAC', 'ADDRESS', 'GROUP', 'IMAGE'], ...rows]);
}

/** What a node comes to, as lines: field, value, and where the value comes from. */
export function originTable({ node, origins }: ResolvedNode): string[] {
  return [
    node.name,
    ...textTable(origins.map((origin) => [`  ${origin.field}`, shown(origin.value), from(origin)])),
  ];
}

function from({ level, name, position }: Origin): string {
  if (level === 'default') return 'default';
  const source = level === 'node' || name === '' ? name || level : `${level} ${name}`;
  return position === undefined ? source : `${source} (${positionText(position)})`;
}

function shown(value: unknown): string {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(' ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
