import type { MachineFirmware } from '../../vm/firmware.js';
import type { TestNodeSelection } from './choose-test-nodes.js';
import type { LabOptions } from './lab-options.js';

/** A test of several nodes at once, as the command line asks for it. */
export interface ClusterTestOptions extends TestNodeSelection, LabOptions {
  /** Of all machines, in place of what nodes.yaml says. */
  readonly firmware?: MachineFirmware;
  /**
   * Commands for sh(1). Each is run once all nodes are up; they have to stay undisturbed, are reset, and boot what is published then.
   */
  readonly during: readonly string[];
  /** What nodes report and keep goes to the state directory itself, as with real nodes; by default to copies. */
  readonly writeState: boolean;
  /** The argv that runs this mkroot. */
  readonly mkroot: readonly [string, ...string[]];
}
