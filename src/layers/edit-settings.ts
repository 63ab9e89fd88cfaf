import { type Document, isSeq, parseDocument } from 'yaml';

/** One entry of `attributes` as it is written. */
export interface WrittenAttributes {
  /** A pattern; see {@link literalPattern}. */
  readonly path: string;
  /** In octal. */
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
}

/** What to change in an overlay.yaml. */
export interface SettingsEdit {
  readonly delete: readonly string[];
  /** Patterns that are taken out of `delete`. */
  readonly restore: readonly string[];
  readonly attributes: readonly WrittenAttributes[];
  readonly serial: number;
}

/** Edits the text of an overlay.yaml; comments, order and everything else in it stay as they are. */
export function editSettings(text: string, edit: SettingsEdit): string {
  const document: Document = parseDocument(text);
  if (document.contents === null) document.contents = document.createNode({});
  const restored = new Set(edit.restore);
  const kept = listOf(document, 'delete').filter((path) => !restored.has(String(path)));
  const missing = edit.delete.filter((path) => !kept.includes(path));
  if (restored.size > 0 && isSeq(document.get('delete'))) {
    for (let index = listOf(document, 'delete').length - 1; index >= 0; index -= 1) {
      if (restored.has(String(document.getIn(['delete', index])))) document.deleteIn(['delete', index]);
    }
  }
  if (missing.length > 0) append(document, 'delete', missing);
  if (edit.attributes.length > 0) {
    const names = new Set(edit.attributes.map(({ path }) => path));
    for (let index = listOf(document, 'attributes').length - 1; index >= 0; index -= 1) {
      if (names.has(String(document.getIn(['attributes', index, 'path'])))) {
        document.deleteIn(['attributes', index]);
      }
    }
    append(document, 'attributes', edit.attributes);
  }
  document.set('serial', edit.serial);
  return document.toString();
}

function listOf(document: Document, field: string): readonly unknown[] {
  const node = document.get(field);
  return isSeq(node) ? (node.toJSON() as readonly unknown[]) : [];
}

function append(document: Document, field: string, values: readonly unknown[]): void {
  if (!isSeq(document.get(field))) document.set(field, document.createNode([]));
  for (const value of values) document.addIn([field], document.createNode(value));
}
