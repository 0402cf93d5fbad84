import { Agent, request } from 'node:https';
import { JSON_TYPE, review, secretFolder, startInjector } from '../integration/injector/injector.ts';
import { peakMb, RESIDENT_MB } from './resident.ts';
import { atMost, type Result } from './result.ts';

const REVIEWS = 20_000;
const CONNECTIONS = 16;

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    generateName: 'home-equity-5d8f-',
    labels: { app: 'home-equity', 'fairway.dev/inject': 'true' },
    annotations: { 'fairway.dev/model': 'home-equity', 'fairway.dev/environment': 'prod' },
  },
  spec: {
    containers: [
      {
        name: 'serving',
        image: 'registry.example.com/models/home-equity:7',
        args: ['--port=8500', '--rest_api_port=8501', '--model_name=home-equity'],
        ports: [{ containerPort: 8501 }],
        env: Array.from({ length: 40 }, (_, index) => ({ name: `SETTING_${index}`, value: 'x'.repeat(40) })),
      },
    ],
  },
};

/** What an injector holds, started as its manifest has it, while an API server asks about pods as fast as it answers. */
async function resident(): Promise<Result[]> {
  const folder = secretFolder();
  const identity = folder.identity();
  folder.put(identity);
  const injector = await startInjector(folder, {
    NODE_OPTIONS: '--max-old-space-size=64',
    LOG_LEVEL: 'info',
    KUBERNETES_VERSION: '1.33',
  });
  const agent = new Agent({ ca: identity.certificate, keepAlive: true, maxSockets: CONNECTIONS });
  const body = review(pod);
  let left = REVIEWS;
  const began = performance.now();
  const caller = async () => {
    while (left-- > 0) await asked(injector.port, agent, body);
  };
  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, caller));
    const rate = Math.round((REVIEWS * 1000) / (performance.now() - began));
    const note = `largest resident set; ${REVIEWS} reviews over ${CONNECTIONS} connections, ${rate}/s`;
    return [atMost('injector-resident', peakMb(injector.child.pid ?? 0), 'MB', RESIDENT_MB.injector, note)];
  } finally {
    agent.destroy();
    await injector.end('SIGTERM');
    folder.remove();
  }
}

function asked(port: number, agent: Agent, body: string): Promise<void> {
  const headers = { ...JSON_TYPE, 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path: '/inject', method: 'POST', agent, headers }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`the injector answered ${response.statusCode}`));
      response.resume().on('end', resolve);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

export const INJECTOR = { 'injector-resident': resident };
