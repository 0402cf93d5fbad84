import type { IncomingMessage, ServerResponse } from 'node:http';

/** What a service tells Kubernetes and Prometheus about itself. */
export type Admin = {
  /** undefined = ready; otherwise the reason why not, in words. */
  ready(): string | undefined | Promise<string | undefined>;
  metrics(): Promise<{ contentType: string; body: string }>;
};

/**
 * Answers `/healthz` (the process runs), `/readyz` (503 with the reason while not ready) and `/metrics`;
 * returns false for every other path, so it can stand in front of any router.
 */
export function answerAdmin(admin: Admin, request: IncomingMessage, response: ServerResponse): boolean {
  const path = (request.url ?? '').split('?')[0];
  if (path === '/healthz') send(response, 200, 'text/plain', 'ok\n');
  else if (path === '/readyz') void answerReady(admin, response);
  else if (path === '/metrics') void answerMetrics(admin, response);
  else return false;
  return true;
}

async function answerReady(admin: Admin, response: ServerResponse): Promise<void> {
  const reason = await Promise.resolve(admin.ready()).catch((error: Error) => error.message);
  send(response, reason === undefined ? 200 : 503, 'text/plain', `${reason ?? 'ready'}\n`);
}

async function answerMetrics(admin: Admin, response: ServerResponse): Promise<void> {
  try {
    const { contentType, body } = await admin.metrics();
    send(response, 200, contentType, body);
  } catch {
    send(response, 500, 'text/plain', 'metrics are not available\n');
  }
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type }).end(body);
}
