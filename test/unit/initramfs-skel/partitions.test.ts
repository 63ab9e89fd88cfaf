import { describe, expect, it } from 'vitest';
import { runOnTarget, type Shell, shells, type TargetTree } from './target-shell.js';

const MEBIBYTE = 1024 * 1024;
const blank = '\0'.repeat(5 * MEBIBYTE);
const dataAt = (offset: number) => `${blank.slice(0, offset)}x${blank.slice(offset + 1)}`;

/** A disk vda of 5 MiB that holds `bytes`, with partitions of these names; and the tools of the initrd. */
const disk = (bytes = blank, names: readonly string[] = []): TargetTree => ({
  'sys/block/vda/size': `${(5 * MEBIBYTE) / 512}\n`,
  'dev/vda': bytes,
  ...Object.fromEntries(
    names.flatMap((name, index) => [
      [`sys/block/vda/vda${index + 1}/partition`, `${index + 1}\n`],
      [`sys/block/vda/vda${index + 1}/uevent`, `DEVTYPE=partition\nPARTN=${index + 1}\nPARTNAME=${name}\n`],
    ]),
  ),
});

// sfdisk makes a partition in /sys for each line of its input that has a size or a type, and renames.
const tools = `
mkdir -p "$ROOT/usr/sbin"
cat >"$ROOT/usr/sbin/sfdisk" <<'END'
#!/bin/sh
printf 'sfdisk %s\\n' "$*" >>"$ROOT/calls"
[ ! -e "$ROOT/unseen-fails" ] || exit 0
[ ! -e "$ROOT/sfdisk-fails" ] || { echo 'sfdisk: no room' >&2; exit 1; }
at=$ROOT/sys/block/vda
if [ "$2" = --part-label ]; then
  echo "PARTNAME=$5" >"$at/vda$4/uevent"
  exit
fi
number=0
while IFS= read -r line; do
  printf 'input %s\\n' "$line" >>"$ROOT/calls"
  case $line in
    *name=*)
      number=$((number + 1))
      mkdir -p "$at/vda$number"
      echo "$number" >"$at/vda$number/partition"
      echo "PARTNAME=\${line##*name=}" >"$at/vda$number/uevent"
      ;;
  esac
done
END
cat >"$ROOT/usr/sbin/mkfs.ext4" <<'END'
#!/bin/sh
printf 'mkfs.ext4 %s\\n' "$*" >>"$ROOT/calls"
[ ! -e "$ROOT/mkfs-fails" ] || { echo 'mkfs.ext4: too small' >&2; exit 1; }
END
chmod +x "$ROOT/usr/sbin/sfdisk" "$ROOT/usr/sbin/mkfs.ext4"
`;
const mocks = `
mkswap() { note mkswap "$@"; }
swapon() { note swapon "$@"; }
blockdev() { note blockdev "$@"; }
sync() { note sync; }
`;

const reread = 'blockdev --rereadpt /dev/vda';

/** What was done to the disk after its partition table was read, and what was said. */
function prepare(shell: Shell, wish: string, tree: TargetTree, before = tools, instead = '') {
  const result = runOnTarget(
    shell,
    `read_command_line 'mkroot.disk=${wish}'\n${before}${mocks}${instead}\nenter_stage 70; prepare_disk`,
    tree,
  );
  expect(result).toMatchObject({ status: 0, stderr: '' });
  const done = result.calls.filter((call) => /^(sfdisk|input|mkfs|mkswap|swapon|blockdev|sync)/.test(call));
  return { done: done[0] === reread ? done.slice(1) : done, said: result.kmsg };
}

const both = 'vda,swap=8g,scratch=scratch';
const made = [
  'sfdisk --quiet --wipe always --wipe-partitions always /dev/vda',
  'input label: gpt',
  'input size=8G, type=S, name=mkroot-new',
  'input type=L, name=mkroot-new',
  'mkswap -L mkroot-swap /dev/vda1',
  'sync',
  'sfdisk --quiet --part-label /dev/vda 1 mkroot-swap',
  'mkfs.ext4 -q -F -m 0 -L scratch /dev/vda2',
  'sync',
  'sfdisk --quiet --part-label /dev/vda 2 mkroot-scratch',
  reread,
  'swapon /dev/vda1',
];
const found = '<5>mkroot: disk vda, mkroot-swap is vda1, mkroot-scratch is vda2';

describe.each(shells)('a declared disk under $name', (shell) => {
  it('that is empty is partitioned by consent; a partition gets its name when it can be used', () => {
    const { done, said } = prepare(shell, `${both},consent=if-empty`, disk());
    expect(done).toEqual(made);
    expect(said).toEqual([
      '<5>mkroot: disk vda is empty and gets 8g of swap and an ext4 with the label scratch',
      found,
    ]);
  });

  it('may have swap only, or scratch only', () => {
    expect(prepare(shell, 'vda,swap=512M,consent=if-empty', disk()).done).toEqual([
      ...made.slice(0, 2),
      'input size=512M, type=S, name=mkroot-new',
      ...made.slice(4, 7),
      ...made.slice(10),
    ]);
    expect(prepare(shell, 'vda,scratch=scratch,consent=if-empty', disk()).done).toEqual([
      ...made.slice(0, 2),
      made[3],
      'mkfs.ext4 -q -F -m 0 -L scratch /dev/vda1',
      'sync',
      'sfdisk --quiet --part-label /dev/vda 1 mkroot-scratch',
      made[10],
    ]);
  });

  it('without consent is not written to, and it is said what would be done', () => {
    expect(prepare(shell, both, disk())).toEqual({
      done: [],
      said: [
        '<3>mkroot: FAILED [70] overlay: disk vda is empty and would get 8g of swap and an ext4 with the label scratch; that takes consent: if-empty in the inventory; next: the disk is left as it is',
      ],
    });
  });

  it.each([
    ['data in its first 4 MiB', disk(dataAt(0))],
    ['data in its first 4 MiB', disk(dataAt(4 * MEBIBYTE - 1))],
    ['data in its last 4 MiB', disk(dataAt(5 * MEBIBYTE - 1))],
    ['the partitions vda1 vda2', disk(blank, ['', 'data'])],
    // It cannot be read to the end.
    ['data in its last 4 MiB', disk(blank.slice(512))],
  ])('that holds %s is written to only by the consent that names it', (holds, tree) => {
    for (const consent of ['', ',consent=if-empty']) {
      expect(prepare(shell, both + consent, tree)).toEqual({
        done: [],
        said: [
          `<3>mkroot: FAILED [70] overlay: disk vda holds ${holds} and would lose that to 8g of swap and an ext4 with the label scratch; that takes consent: yes-wipe-vda in the inventory; next: the disk is left as it is`,
        ],
      });
    }
    const wiped = prepare(shell, `${both},consent=yes-wipe-vda`, tree);
    expect(wiped.done).toEqual(made);
    expect(wiped.said[0]).toBe(
      `<3>mkroot: disk vda LOSES ${holds} and gets 8g of swap and an ext4 with the label scratch, by consent yes-wipe-vda`,
    );
  });

  it('that mkroot made is found and never made again, whatever the consent', () => {
    const ready = disk(dataAt(0), ['mkroot-swap', 'mkroot-scratch']);
    for (const consent of ['', ',consent=if-empty', ',consent=yes-wipe-vda']) {
      expect(prepare(shell, both + consent, ready)).toEqual({ done: ['swapon /dev/vda1'], said: [found] });
    }
    // Somebody wants swap beside the scratch with data.
    const scratchOnly = disk(dataAt(0), ['mkroot-scratch']);
    expect(prepare(shell, `${both},consent=yes-wipe-vda`, scratchOnly)).toEqual({
      done: [],
      said: [
        '<3>mkroot: FAILED [70] overlay: disk vda has no partition mkroot-swap, and what mkroot once made it leaves as it is; next: going on without that',
        '<5>mkroot: disk vda, mkroot-scratch is vda1',
      ],
    });
  });

  it('whose partitions the kernel has not looked for yet is not taken for one without', () => {
    // A disk is in /sys first; its partitions follow when the kernel has read the table.
    const finds = `blockdev() {
  note blockdev "$@"
  for number in 1 2; do mkdir -p "$ROOT/sys/block/vda/vda$number"; echo "$number" >"$ROOT/sys/block/vda/vda$number/partition"; done
  echo PARTNAME=mkroot-swap >"$ROOT/sys/block/vda/vda1/uevent"
  echo PARTNAME=mkroot-scratch >"$ROOT/sys/block/vda/vda2/uevent"
}
`;
    for (const consent of ['', ',consent=if-empty', ',consent=yes-wipe-vda']) {
      expect(prepare(shell, both + consent, disk(dataAt(0)), tools, finds)).toEqual({
        done: ['swapon /dev/vda1'],
        said: [found],
      });
    }
    // A table that cannot be read is no reason to stop: what is judged is what is there.
    const fails = 'blockdev() { note blockdev "$@"; echo busy >&2; return 1; }\n';
    const ready = disk(dataAt(0), ['mkroot-swap', 'mkroot-scratch']);
    expect(prepare(shell, both, ready, tools, fails).said).toEqual([found]);
  });

  describe('while another one has what mkroot made: the disks have changed their names', () => {
    const other = (...names: readonly string[]): TargetTree => ({
      'sys/block/sda/size': '10240\n',
      ...Object.fromEntries(
        names.flatMap((name, index) => [
          [`sys/block/sda/sda${index + 1}/partition`, `${index + 1}\n`],
          [`sys/block/sda/sda${index + 1}/uevent`, `DEVTYPE=partition\nPARTNAME=${name}\n`],
        ]),
      ),
    });
    const otherMade = other('mkroot-swap', 'mkroot-scratch');
    const taken =
      '<3>mkroot: FAILED [70] overlay: disk vda is not the one that mkroot partitioned: that is sda, so the disks may have changed their names; next: sda is taken, and vda is left as it is';

    it.each([
      ['empty', disk()],
      ['full of data', disk(dataAt(0), ['data'])],
    ])('is left as it is if it is %s, whatever the consent, and the other one is taken', (_, tree) => {
      for (const consent of ['', ',consent=if-empty', ',consent=yes-wipe-vda']) {
        expect(prepare(shell, both + consent, { ...otherMade, ...tree })).toEqual({
          done: ['blockdev --rereadpt /dev/sda', 'swapon /dev/sda1'],
          said: [taken, '<5>mkroot: disk sda, mkroot-swap is sda1, mkroot-scratch is sda2'],
        });
      }
    });

    it('is used if it was partitioned itself', () => {
      const ready = { ...otherMade, ...disk(dataAt(0), ['mkroot-swap', 'mkroot-scratch']) };
      expect(prepare(shell, `${both},consent=if-empty`, ready)).toEqual({
        done: ['swapon /dev/vda1'],
        said: [found],
      });
    });

    it('is left as it is, too, if the other one has but one of the partitions, or is found later', () => {
      expect(prepare(shell, `${both},consent=if-empty`, { ...other('mkroot-scratch'), ...disk() })).toEqual({
        done: ['blockdev --rereadpt /dev/sda'],
        said: [
          taken,
          '<3>mkroot: FAILED [70] overlay: disk sda has no partition mkroot-swap, and what mkroot once made it leaves as it is; next: going on without that',
          '<5>mkroot: disk sda, mkroot-scratch is sda1',
        ],
      });
      const comes = `while_asleep() {
  [ "$1" -ge 5 ] || return 0
  mkdir -p "$ROOT/sys/block/sda/sda1"
  echo 1 >"$ROOT/sys/block/sda/sda1/partition"
  echo PARTNAME=mkroot-swap >"$ROOT/sys/block/sda/sda1/uevent"
}
`;
      for (const consent of ['if-empty', 'yes-wipe-vda']) {
        const late = prepare(shell, `vda,swap=1g,consent=${consent}`, disk(), tools, comes);
        expect(late.done).toEqual(['blockdev --rereadpt /dev/sda', 'swapon /dev/sda1']);
        expect(late.said[0]).toBe(taken);
      }
    });

    it('is partitioned by consent if the names of the others only begin like those', () => {
      const stranger = { ...other('mkroot-swapper'), ...disk(dataAt(0), ['data']) };
      const { done } = prepare(shell, `${both},consent=yes-wipe-vda`, stranger);
      expect(done.filter((call) => call !== 'blockdev --rereadpt /dev/sda')).toEqual(made);
    });
  });

  it('whose making was broken off is made again, by the consent to make it', () => {
    for (const names of [
      ['mkroot-new', 'mkroot-new'],
      ['mkroot-swap', 'mkroot-new'],
    ]) {
      const broken = disk(dataAt(0), names);
      expect(prepare(shell, `${both},consent=if-empty`, broken).done).toEqual(made);
      expect(prepare(shell, both, broken).done).toEqual([]);
    }
  });

  it('that cannot be partitioned is done without, and its partitions get no names', () => {
    const failed = (file: string) =>
      prepare(shell, `${both},consent=if-empty`, { ...disk(), [`${file}-fails`]: '' });
    expect(failed('sfdisk').done).toEqual(made.slice(0, 1));
    expect(failed('sfdisk').said.at(-1)).toBe(
      '<3>mkroot: FAILED [70] overlay: disk vda was not partitioned to the end: sfdisk: no room; next: going on without swap and scratch of a local disk',
    );
    expect(failed('unseen').done).toEqual(made.slice(0, 1));
    expect(failed('unseen').said.at(-1)).toContain('to the end: the kernel does not see the new partitions');
    expect(failed('mkfs').done).toEqual(made.slice(0, 8));
    expect(failed('mkfs').said.at(-1)).toContain('not partitioned to the end: mkfs.ext4: too small');
    expect(prepare(shell, `${both},consent=yes-wipe-vda`, disk(dataAt(0)), '')).toEqual({
      done: [],
      said: [
        expect.stringContaining(
          'disk vda cannot be partitioned: the initrd has no sfdisk or no mkfs.ext4 (mkroot initrd --top partitions)',
        ),
      ],
    });
  });

  it('whose swap cannot be used is said, and scratch is there', () => {
    const ready = disk(blank, ['mkroot-swap', 'mkroot-scratch']);
    const refuses = "swapon() { echo 'swapon: /dev/vda1: Invalid argument'; return 1; }\n";
    expect(prepare(shell, both, ready, tools, refuses).said).toEqual([
      '<3>mkroot: FAILED [70] overlay: disk vda has no swap on vda1: Invalid argument; next: going on without swap',
      '<5>mkroot: disk vda, mkroot-scratch is vda2',
    ]);
  });

  it('that is not there is waited for, and no other is taken', () => {
    expect(prepare(shell, 'sda,swap=1g,consent=yes-wipe-sda', disk())).toEqual({
      done: [],
      said: [
        '<3>mkroot: FAILED [70] overlay: disk sda is not there (waited 30 s); next: going on without swap and scratch of a local disk',
      ],
    });
  });

  it.each([
    'vda',
    'vda,consent=if-empty',
    '../vda,swap=1g',
    'vda,swap=1',
    'vda,swap=$(x)g',
    'vda,scratch=a/b',
    'vda,scratch=seventeen-letters',
    'vda,swap=1g,consent=yes',
    'vda,swap=1g,consent=yes-wipe-sda',
    'vda,swap=1g,else=1',
  ])('%s cannot be read, which is said', (wish) => {
    expect(prepare(shell, wish, disk())).toEqual({
      done: [],
      said: [
        `<3>mkroot: FAILED [70] overlay: - mkroot.disk=${wish} is not DEVICE,swap=SIZE,scratch=LABEL,consent=if-empty or yes-wipe-DEVICE; next: going on without swap and scratch of a local disk`,
      ],
    });
  });
});
