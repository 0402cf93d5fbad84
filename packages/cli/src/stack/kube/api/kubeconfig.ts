import { renameSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';

/** Writes a kubeconfig for this API, whole or not at all; it holds the token, so only its owner may read it. */
export function writeKubeconfig(
  file: string,
  api: { readonly url: string; readonly certificate: string; readonly token: string },
): void {
  const name = 'fairway';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name,
        cluster: { server: api.url, 'certificate-authority-data': Buffer.from(api.certificate).toString('base64') },
      },
    ],
    users: [{ name, user: { token: api.token } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: 'default' } }],
    'current-context': name,
  };
  writeFileSync(`${file}.new`, stringify(config), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
