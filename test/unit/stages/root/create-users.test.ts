import { describe, expect, it } from 'vitest';
import type { RecipeUser } from '../../../../src/recipe/recipe.js';
import { changeCommands, creationCommands } from '../../../../src/stages/root/create-users.js';

const ada: RecipeUser = { name: 'ada', groups: [], sshKeys: [] };

describe('createUsers', () => {
  it('gives a new account a group of its own and a home', () => {
    expect(creationCommands(ada)).toEqual([
      ['useradd', '--create-home', '--home-dir=/home/ada', '--shell=/bin/bash', '--user-group', 'ada'],
    ]);
  });

  it('pins the ids that the recipe names; the group has the id of the user', () => {
    expect(creationCommands({ ...ada, uid: 1500, groups: ['adm', 'video'] })).toEqual([
      ['groupadd', '--force', '--gid=1500', 'ada'],
      [
        'useradd',
        '--create-home',
        '--home-dir=/home/ada',
        '--shell=/bin/bash',
        '--uid=1500',
        '--gid=1500',
        '--groups=adm,video',
        'ada',
      ],
    ]);
  });

  it('lets an account join a group that is there, without making another one', () => {
    expect(creationCommands({ ...ada, uid: 1500, gid: 100 }, new Set([0, 100]))).toEqual([
      expect.arrayContaining(['useradd', '--uid=1500', '--gid=100']),
    ]);
  });

  it('gives an account that is there the ids that the recipe names', () => {
    expect(changeCommands({ ...ada, uid: 1500, gid: 100 })).toEqual([
      ['usermod', '--uid=1500', '--gid=100', 'ada'],
    ]);
  });

  it('changes of root only what the recipe says', () => {
    expect(changeCommands({ ...ada, name: 'root' })).toEqual([]);
    expect(changeCommands({ ...ada, name: 'root', shell: '/bin/zsh', groups: ['adm'] })).toEqual([
      ['usermod', '--shell=/bin/zsh', '--append', '--groups=adm', 'root'],
    ]);
  });
});
