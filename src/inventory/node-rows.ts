import { suggestion } from '../decode/nearest-name.js';
import type { Position, ValuePath } from '../decode/position.js';
import type { Complaints } from './complaints.js';
import { type CsvCell, parseCsv } from './csv.js';
import type { Given, SettingsSource } from './inventory.js';
import { HOSTNAME, type NodeDocument, nodeEntrySchema } from './inventory-schema.js';
import { parseIpv4 } from './ipv4.js';
import { normalizeMac } from './mac.js';

/** A row of a CSV file. */
export interface NodeRow {
  readonly name: Given<string>;
  readonly group?: Given<string>;
  readonly ip?: Given<number>;
  readonly mac?: Given<string>;
  readonly source: SettingsSource;
  /** Fields of the row that are not usable. */
  readonly faulty: readonly string[];
}

/** Columns besides name; and variables.NAME. */
const COLUMNS = [
  'mac',
  'ip',
  'group',
  'image',
  'boot',
  'network',
  'architecture',
  'firmware',
  'serialConsole',
] as const;

/** Decodes the rows of a CSV file with the schema of a node's entry. */
export function decodeRows(text: string, file: string, complaints: Complaints): NodeRow[] {
  const table = parseCsv(text, file);
  for (const { position, message } of table.problems) complaints.add(position, message);
  const columns = table.head.map(({ text: column }) => column);
  checkHead(table.head, file, complaints);
  if (!columns.includes('name')) return [];
  return table.rows.flatMap((cells) => {
    const row = decodeRow(columns, cells, complaints);
    return row === undefined ? [] : [row];
  });
}

function checkHead(head: readonly CsvCell[], file: string, complaints: Complaints): void {
  const known = ['name', ...COLUMNS];
  const seen = new Set<string>();
  for (const { text, position } of head) {
    if (!known.includes(text) && !/^variables\.[A-Za-z_][A-Za-z0-9_]*$/.test(text)) {
      const near = suggestion(text, known);
      complaints.add(
        position,
        `unknown column "${text}"${near === '' ? `; known are ${known.join(', ')} and variables.NAME` : near}`,
      );
    } else if (seen.has(text)) complaints.add(position, `column "${text}" is there twice`);
    seen.add(text);
  }
  if (!seen.has('name')) {
    complaints.add(head[0]?.position ?? { file, line: 1, column: 1 }, 'the head line has no column "name"');
  }
}

function decodeRow(
  columns: readonly string[],
  cells: readonly CsvCell[],
  complaints: Complaints,
): NodeRow | undefined {
  const surplus = cells.slice(columns.length).find(({ text }) => text !== '');
  if (surplus !== undefined) {
    complaints.add(surplus.position, `the row has more fields than the head line (${columns.length})`);
  }
  const byColumn = new Map<string, CsvCell>();
  columns.forEach((column, index) => {
    const cell = cells[index];
    if (cell !== undefined && cell.text !== '') byColumn.set(column, cell);
  });
  const name = byColumn.get('name');
  if (name === undefined) {
    complaints.add(cells[0]!.position, 'the row has no name');
    return undefined;
  }
  if (!HOSTNAME.test(name.text)) {
    complaints.add(
      name.position,
      `"${name.text}" is not a host name (letters, digits and hyphens, at most 63, without a domain)`,
    );
    return undefined;
  }
  const { settings, faulty } = decodeSettings(byColumn, complaints);
  const place = (path: ValuePath): Position =>
    byColumn.get(path[0] === 'variables' ? `variables.${path[1]}` : String(path[0]))?.position ??
    name.position;
  const ip = byColumn.get('ip');
  const address = ip === undefined ? undefined : parseIpv4(ip.text);
  if (ip !== undefined && address === undefined) {
    complaints.add(ip.position, `ip "${ip.text}" is not an IPv4 address, such as 10.1.0.1`);
    faulty.push('ip');
  }
  return {
    name: { value: name.text, position: () => name.position },
    ...(settings.group === undefined
      ? {}
      : { group: { value: settings.group, position: () => place(['group']) } }),
    ...(address === undefined ? {} : { ip: { value: address, position: () => place(['ip']) } }),
    ...(typeof settings.mac !== 'string'
      ? {}
      : { mac: { value: normalizeMac(settings.mac)!, position: () => place(['mac']) } }),
    source: { level: 'node', name: name.text, settings, position: place },
    faulty,
  };
}

function decodeSettings(
  byColumn: ReadonlyMap<string, CsvCell>,
  complaints: Complaints,
): { settings: NodeDocument; faulty: string[] } {
  const values: Record<string, unknown> = {};
  const variables: Record<string, string> = {};
  for (const [column, { text }] of byColumn) {
    if (column.startsWith('variables.')) variables[column.slice('variables.'.length)] = text;
    else if (column !== 'name' && COLUMNS.some((known) => known === column)) values[column] = text;
  }
  if (Object.keys(variables).length > 0) values['variables'] = variables;
  const decoded = nodeEntrySchema.safeParse(values);
  if (decoded.success) return { settings: decoded.data, faulty: [] };
  const faulty: string[] = [];
  for (const issue of decoded.error.issues) {
    const column = String(issue.path[0]);
    const cell = byColumn.get(column);
    if (cell === undefined) continue;
    const words =
      issue.code === 'invalid_value'
        ? `is not known (${issue.values.join(', ')})${suggestion(cell.text, issue.values.map(String))}`
        : issue.code === 'invalid_union'
          ? (issue.errors.flat().find(({ code }) => code === 'custom')?.message ?? issue.message)
          : issue.message;
    complaints.add(cell.position, `${column} "${cell.text}" ${words}`);
    faulty.push(column);
    delete values[column];
  }
  return { settings: nodeEntrySchema.parse(values), faulty };
}
