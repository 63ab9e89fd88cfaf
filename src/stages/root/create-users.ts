import { toJson } from '../../engine/canonical-json.js';
import type { Stage, StageContext } from '../../engine/stage.js';
import type { Recipe, RecipeUser } from '../../recipe/recipe.js';
import { accountIds } from '../../rootfs/account-ids.js';
import { RootWriter } from '../../rootfs/root-writer.js';
import type { RootTree } from '../../sandbox/root-tree.js';
import type { BuildEnvironment } from './build-environment.js';
import { changeRoot } from './root-layers.js';

/** Creates the recipe's accounts with the root's own useradd(8), and lets their ssh keys in. */
export function createUsers(recipe: Recipe, environment: BuildEnvironment): Stage {
  return {
    name: 'create-users',
    title: `Setting up ${recipe.users.map(({ name }) => name).join(', ')}`,
    version: 2,
    options: { users: toJson(recipe.users) },
    files: [],
    tools: [],
    run: async (context) =>
      changeRoot(context, environment, async (tree) => {
        for (const user of recipe.users) await setUpUser(user, tree, context);
        new RootWriter(context.ports.fs, tree.hostPath).remove('/etc/.pwd.lock');
      }),
  };
}

/**
 * The argvs that create an account that is not there.
 * @param groupIds of the groups that are there: an account may join one of them, and `groupadd --force` would make another
 *   group, with another id.
 */
export function creationCommands(
  user: RecipeUser,
  groupIds: ReadonlySet<number> = new Set(),
): [string, ...string[]][] {
  const { name, uid, gid, groups, shell = '/bin/bash', home = `/home/${name}` } = user;
  const group = gid ?? uid;
  return [
    ...(group === undefined || groupIds.has(group)
      ? []
      : [['groupadd', '--force', `--gid=${group}`, name] as [string, ...string[]]]),
    [
      'useradd',
      '--create-home',
      `--home-dir=${home}`,
      `--shell=${shell}`,
      ...(uid === undefined ? [] : [`--uid=${uid}`]),
      ...(group === undefined ? ['--user-group'] : [`--gid=${group}`]),
      ...(groups.length === 0 ? [] : [`--groups=${groups.join(',')}`]),
      name,
    ],
  ];
}

/** The argvs that change an account that is there; empty if the recipe says nothing about it. */
export function changeCommands({ name, uid, gid, groups, shell, home }: RecipeUser): [string, ...string[]][] {
  const options = [
    ...(uid === undefined ? [] : [`--uid=${uid}`]),
    ...(gid === undefined ? [] : [`--gid=${gid}`]),
    ...(home === undefined ? [] : [`--home=${home}`]),
    ...(shell === undefined ? [] : [`--shell=${shell}`]),
    ...(groups.length === 0 ? [] : ['--append', `--groups=${groups.join(',')}`]),
  ];
  return options.length === 0 ? [] : [['usermod', ...options, name]];
}

async function setUpUser(
  user: RecipeUser,
  tree: RootTree,
  { ports, logFile, signal }: StageContext,
): Promise<void> {
  const writer = new RootWriter(ports.fs, tree.hostPath);
  const options = { logFile, network: false, ...(signal === undefined ? {} : { signal }) };
  const { users, groups } = accountIds(writer.sysroot);
  const commands = users.has(user.name)
    ? changeCommands(user)
    : creationCommands(user, new Set(groups.values()));
  for (const argv of commands) await tree.run(argv, options);
  if (user.passwordHash !== undefined) {
    // By standard input: arguments can be read by every user of the host.
    await tree.run(['chpasswd', '--encrypted'], {
      ...options,
      input: Buffer.from(`${user.name}:${user.passwordHash}\n`),
    });
  }
  if (user.sshKeys.length > 0) {
    const account = accountIds(writer.sysroot).users.get(user.name)!;
    const owner = { uid: account.uid, gid: account.gid };
    writer.directory(`${account.home}/.ssh`, { ...owner, mode: 0o700 });
    writer.file(`${account.home}/.ssh/authorized_keys`, `${user.sshKeys.join('\n')}\n`, {
      ...owner,
      mode: 0o600,
    });
  }
}
