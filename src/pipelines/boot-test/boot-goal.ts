import { bootStages } from '../../netboot/boot-stages.js';
import { bootMilestones, type Milestone } from '../../vm/milestones.js';
import type { ScenarioBoot } from '../../vm/scenario.js';
import type { BootNetwork } from './boot-test-options.js';

/** Milestones of the system that a scenario's own process 1 does not pass. */
const OF_THE_SYSTEM: readonly string[] = ['init', 'multi-user', 'self-check'];

/** The last milestone that QEMU's own network can show: it has no NFS server. */
const USER_NETWORK_GOAL = 'init-40-dhcp';

/** What decides about the way that a boot goes, and how far. */
export interface BootCourse {
  readonly network: BootNetwork;
  readonly scenario?: ScenarioBoot;
  /** QEMU loads kernel and initrd itself. */
  readonly direct: boolean;
}

/** How a boot ends that may end otherwise than by reaching its last milestone. */
export function endOf(scenario: ScenarioBoot | undefined): 'milestone' | 'reset' | 'seen' {
  return scenario?.end === 'reset' || scenario?.end === 'seen' ? scenario.end : 'milestone';
}

/** Milestones up to the one that ends the test, without those of a firmware that takes no part. */
export function milestonesFor({ network, scenario, direct }: BootCourse): readonly Milestone[] {
  const all = bootMilestones(bootStages);
  const goal = network === 'user' ? USER_NETWORK_GOAL : (scenario?.end ?? 'power-off');
  const upToGoal =
    endOf(scenario) !== 'milestone'
      ? all.filter(({ id }) => id !== 'power-off')
      : all.slice(0, all.findIndex(({ id }) => id === goal) + 1);
  return upToGoal.filter(
    ({ id, phase }) =>
      (!direct || id === 'power-on' || (phase !== 'firmware' && phase !== 'loader')) &&
      !(scenario?.init === 'guest' && OF_THE_SYSTEM.includes(id)),
  );
}
