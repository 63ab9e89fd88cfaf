import type { Sysroot } from './sysroot.js';

/** A line of passwd(5). */
export interface Account {
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** Users and groups of a root, by name. */
export interface AccountIds {
  readonly users: ReadonlyMap<string, Account>;
  readonly groups: ReadonlyMap<string, number>;
}

/** Reads /etc/passwd and /etc/group of a root; lines that are not whole are left out, absent files are empty. */
export function accountIds(sysroot: Sysroot): AccountIds {
  const users = new Map<string, Account>();
  for (const [name, , uid, gid, , home] of records(sysroot, '/etc/passwd')) {
    if (isName(name) && isId(uid) && isId(gid)) {
      users.set(name, { uid: Number(uid), gid: Number(gid), home: home || '/' });
    }
  }
  const groups = new Map<string, number>();
  for (const [name, , gid] of records(sysroot, '/etc/group')) {
    if (isName(name) && isId(gid)) groups.set(name, Number(gid));
  }
  return { users, groups };
}

function records(sysroot: Sysroot, path: string): string[][] {
  if (!sysroot.isFile(path)) return [];
  return Buffer.from(sysroot.readFile(path))
    .toString('utf8')
    .split('\n')
    .map((line) => line.split(':'));
}

function isName(name: string | undefined): name is string {
  return name !== undefined && name !== '' && !name.startsWith('#');
}

function isId(text: string | undefined): text is string {
  return text !== undefined && /^\d+$/.test(text);
}
