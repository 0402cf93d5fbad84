import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { refuse } from '../web/http.ts';
import { type Forge, type Repository, repositoryOf } from './forge.ts';
import { tellMovedHeads } from './notices.ts';
import type { User } from './users.ts';

export type GitCall = {
  readonly repository: Repository;
  readonly service: 'git-upload-pack' | 'git-receive-pack';
  /** The path below the repository: `/info/refs` or `/<service>`. */
  readonly rest: string;
};

/** The smart HTTP request that a URL is, or undefined. A repository answers with and without `.git`. */
export function gitCall(forge: Forge, url: URL): GitCall | undefined {
  const [, owner, name, rest] =
    /^\/([^/]+)\/([^/]+?)(?:\.git)?(\/info\/refs|\/git-upload-pack|\/git-receive-pack)$/.exec(url.pathname) ?? [];
  if (rest === undefined) return undefined;
  const service = rest === '/info/refs' ? url.searchParams.get('service') : rest.slice(1);
  if (service !== 'git-upload-pack' && service !== 'git-receive-pack') {
    return refuse(403, 'Only the smart HTTP protocol is served: use a Git client of this century.');
  }
  return { repository: repositoryOf(forge, owner, name), service, rest };
}

export type SmartHttp = {
  answer(call: GitCall, request: IncomingMessage, response: ServerResponse, user: User | 'anonymous'): Promise<void>;
  /** Ends running `git http-backend` processes. */
  stop(): void;
};

/**
 * Runs `git http-backend` as CGI for each request and streams both ways. The answer to a push ends only after the forge has noticed
 * the moved branches, so a client that pushed finds its pull request already up to date.
 */
export function smartHttp(forge: Forge, environment: Readonly<Record<string, string>>): SmartHttp {
  const running = new Set<ChildProcess>();
  return {
    answer: async (call, request, response, user) => {
      const { repository, service, rest } = call;
      const child = spawn('git', ['http-backend'], {
        cwd: forge.store.root,
        env: { ...environment, ...cgiEnvironment(call, request, user), GIT_PROJECT_ROOT: forge.store.root },
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      running.add(child);
      try {
        await exchange(forge, child, request, response);
      } finally {
        running.delete(child);
        if (service === 'git-receive-pack' && rest !== '/info/refs' && user !== 'anonymous') {
          await tellMovedHeads(forge, repository, user);
        }
        // Without a header nothing was sent: then the error that comes out of here is the answer.
        if (response.headersSent) response.end();
      }
    },
    stop: () => {
      for (const child of running) child.kill();
    },
  };
}

function cgiEnvironment({ repository, rest }: GitCall, request: IncomingMessage, user: User | 'anonymous') {
  const { headers } = request;
  const query = (request.url ?? '').split('?')[1] ?? '';
  return {
    GIT_HTTP_EXPORT_ALL: '1',
    REQUEST_METHOD: request.method ?? 'GET',
    PATH_INFO: `/${repository.owner}/${repository.name}.git${rest}`,
    QUERY_STRING: query,
    CONTENT_TYPE: headers['content-type'] ?? '',
    // No CONTENT_LENGTH: with one, git http-backend spins for ever once its input ends early (a killed forge, a client
    // that breaks off); without, it reads to the end of its input and gives up.
    // The backend inflates gzip'd requests itself.
    ...(headers['content-encoding'] === undefined ? {} : { HTTP_CONTENT_ENCODING: headers['content-encoding'] }),
    GIT_PROTOCOL: String(headers['git-protocol'] ?? ''),
    REMOTE_ADDR: request.socket.remoteAddress ?? '',
    ...(user === 'anonymous' ? {} : { REMOTE_USER: user.name }),
  };
}

async function exchange(forge: Forge, child: ChildProcess, request: IncomingMessage, response: ServerResponse) {
  const { stdin, stdout, stderr } = child;
  if (!stdin || !stdout || !stderr) throw new Error('git http-backend has no pipes');
  const said: string[] = [];
  stderr.on('data', (chunk: Buffer) => said.push(chunk.toString('utf8')));
  const ended = once(child, 'close');
  // Heard below; until then a backend that cannot start must not count as unheard.
  ended.catch(() => {});
  // A client that goes away takes its backend with it; a backend that ends early leaves the rest of the request unread.
  response.once('close', () => child.kill());
  pipeline(request, stdin).catch(() => {});
  await copyCgi(stdout, response);
  const [code] = (await ended) as [number | null];
  if (code !== 0) forge.log.warn({ code, said: said.join('').trim() }, 'git http-backend failed');
}

const MAX_HEADER = 16_384;

/** CGI output to response: `Status:` and headers up to the empty line, then the body as it comes. Does not end the response. */
async function copyCgi(stdout: Readable, response: ServerResponse): Promise<void> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of stdout as AsyncIterable<Buffer>) {
    let body: Buffer = chunk;
    if (head !== undefined) {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) {
        if (head.length > MAX_HEADER) throw new Error('git http-backend sent no header');
        continue;
      }
      writeHead(response, head.subarray(0, end).toString('latin1'));
      body = head.subarray(end + 4);
      head = undefined;
    }
    if (!response.write(body) && !response.destroyed)
      await Promise.race([once(response, 'drain'), once(response, 'close')]);
  }
  if (head !== undefined && !response.destroyed) throw new Error('git http-backend gave no answer');
}

function writeHead(response: ServerResponse, text: string): void {
  const headers = text
    .split('\r\n')
    .map((line) => /^([^:]+):\s*(.*)$/.exec(line)?.slice(1) as [string, string] | undefined);
  let status = 200;
  for (const header of headers) {
    if (header?.[0].toLowerCase() === 'status') status = Number.parseInt(header[1], 10);
    else if (header) response.setHeader(header[0], header[1]);
  }
  response.writeHead(status);
  response.flushHeaders();
}
