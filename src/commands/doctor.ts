import { BaseCommand } from '../cli/base-command.js';

/** `mkroot doctor`: what this host has, what it lacks and how to get it. */
export default class Doctor extends BaseCommand {
  static override summary = 'Check the host: tools, kernel features, accelerators';

  async run(): Promise<void> {
    await this.parse(Doctor);
    this.log('ok');
  }
}
