import type { HttpAnswer, HttpRequest } from '../ports/network.js';
import { type NodeReport, parseNodeReport } from './node-report.js';

/**
 * Answers `POST /report` (docs/boot-protocol.md). Whoever is on the nodes' networks may send one; what is no report is
 * refused and leaves no trace.
 * @param permits whether a client may send at all.
 */
export function receiveReports(
  permits: (client: string) => boolean,
  onReport: (report: NodeReport, client: string) => void,
): (request: HttpRequest) => HttpAnswer {
  const answer = (status: number): HttpAnswer => ({ status, headers: { connection: 'close' } });
  return ({ method, target, client, body }) => {
    if (!permits(client)) return answer(403);
    if (target !== '/report') return answer(404);
    if (method !== 'POST') return answer(405);
    const report = parseNodeReport(body);
    if (report === undefined) return answer(400);
    onReport(report, client);
    return answer(204);
  };
}
