import type { BootReport } from './boot-report.js';
/** x */
export function bootReportHtml(report: BootReport): string {
  return JSON.stringify(report);
}
