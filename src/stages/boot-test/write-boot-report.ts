import type { BytePath } from '../../ports/byte-path.js';
import type { FileSystem } from '../../ports/file-system.js';
import type { BootReport } from '../../vm/boot-report.js';
import { bootReportHtml } from '../../vm/boot-report-html.js';
import type { ClusterReport } from '../../vm/cluster-report.js';
import { clusterReportHtml } from '../../vm/cluster-report-html.js';
import type { StormReport } from '../../vm/storm-report.js';
import { stormReportHtml } from '../../vm/storm-report-html.js';

/** Writes timeline.json and report.html beside the logs. */
export function writeBootReport(fs: FileSystem, directory: BytePath, report: BootReport): void {
  fs.writeFile(`${directory}/timeline.json`, `${JSON.stringify(report, null, 2)}\n`);
  fs.writeFile(`${directory}/report.html`, bootReportHtml(report));
}

/** The same for a test of several nodes. */
export function writeClusterReport(fs: FileSystem, directory: BytePath, report: ClusterReport): void {
  fs.writeFile(`${directory}/timeline.json`, `${JSON.stringify(report, null, 2)}\n`);
  fs.writeFile(`${directory}/report.html`, clusterReportHtml(report));
}

/** Writes storm.json and report.html beside the logs. */
export function writeStormReport(fs: FileSystem, directory: BytePath, report: StormReport): void {
  fs.writeFile(`${directory}/storm.json`, `${JSON.stringify(report, null, 2)}\n`);
  fs.writeFile(`${directory}/report.html`, stormReportHtml(report));
}
