import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { FairwayError } from '@fairway/core';
import {
  type Credentials,
  dockerCredentials,
  type ImageStore,
  imageName,
  layoutStore,
  parseReference,
  type Proof,
  proveImage,
  registryStore,
} from '@fairway/oci';
import { printable } from './printable.ts';
import { table } from './table.ts';

type Options = { layout?: string; plainHttp: boolean; caFile?: string; authFile?: string; json: boolean };

/** `fairway image`: proves from an image's own bytes which model is inside. Nothing is unpacked, pulled to disk or executed. */
export function imageCommand(): Command {
  return new Command('image')
    .description('prove which model is inside an image, from its bytes')
    .argument('<reference>', 'name@sha256:…, or name:tag, as a Deployment has it')
    .addOption(new Option('--layout <folder>', 'read an OCI image layout instead of a registry').conflicts('plainHttp'))
    .option('--plain-http', 'speak to the registry without TLS', false)
    .addOption(new Option('--ca-file <file>', 'certificate authorities (PEM) of the registry').env('REGISTRY_CA_FILE'))
    .addOption(
      new Option(
        '--auth-file <file>',
        'config.json of Docker with credentials; or set REGISTRY_USER and REGISTRY_PASSWORD',
      ).env('REGISTRY_AUTH_FILE'),
    )
    .option('--json', 'print the proof as JSON', false)
    .addHelpText('after', '\nExit codes: 0 it is proven · 1 it is not, the last line says why')
    .action(run);
}

async function run(reference: string, options: Options): Promise<void> {
  const store = opened(reference, options);
  try {
    const proof = await proveImage(store, reference);
    console.log(options.json ? JSON.stringify(proof, undefined, 2) : told(proof));
  } finally {
    store.close();
  }
}

function opened(reference: string, { layout, plainHttp, caFile, authFile }: Options): ImageStore {
  if (layout !== undefined) return layoutStore(resolve(layout), '--layout');
  const { host } = imageName(parseReference(reference).name);
  const credentials = credentialsOf(host, authFile, process.env);
  return registryStore({ plainHttp: plainHttp ? [host] : false, caFile, credentials, setting: 'the reference' });
}

function credentialsOf(
  host: string,
  file: string | undefined,
  { REGISTRY_USER: user, REGISTRY_PASSWORD: password }: NodeJS.ProcessEnv,
): Credentials {
  if (file !== undefined) return dockerCredentials(file, '--auth-file');
  if ((user === undefined) !== (password === undefined))
    throw new FairwayError(
      'config.invalid',
      'REGISTRY_USER and REGISTRY_PASSWORD belong together: set both or neither.',
    );
  if (user === undefined || password === undefined) return () => Promise.resolve(undefined);
  return (name) => Promise.resolve(name.host === host ? { kind: 'basic', user, password } : undefined);
}

function told(proof: Proof): string {
  const { base, kind, approval, origin, platforms, attached } = proof;
  const rows = [
    ['model', proof.model],
    ['version', proof.version],
    ['digest', proof.digest],
    ['files', `${proof.files}, ${proof.bytes} bytes`],
    ['registered as', origin ?? '-'],
    ['approved by', approval === undefined ? '-' : `event ${approval}`],
    ['kind', kind === 'serving' ? 'TensorFlow Serving with the model' : 'the model alone, for image volumes'],
    ...(base === undefined
      ? []
      : [['base', `${base.name}@${base.digest}${base.proven ? '' : ' (as it says; the base is not at hand)'}`]]),
    ['platforms', platforms.join(', ')],
    ['attached', attached.length === 0 ? '-' : attached.join(', ')],
  ];
  return `${printable(proof.reference)}\n\n${table(rows.map((row) => row.map(printable)))}\n\nThe bytes in the image are those of the digest above.`;
}
