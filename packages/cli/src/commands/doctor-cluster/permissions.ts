import { type Item, type Looker, said } from './cluster.ts';
import { type Finding, missing, ok, warning } from './finding.ts';
import { rightsOf, type Right, type Shipped } from './shipped.ts';

const REVIEWS = '/apis/authorization.k8s.io/v1';

/** Whether the rights that the manifests give each service account are there, asked one by one. */
export async function permissionFindings(
  looker: Looker,
  shipped: readonly Shipped[],
  models: readonly string[],
): Promise<Finding[]> {
  const objects = shipped.map(({ object }) => object);
  const accounts = objects.filter(({ kind }) => kind === 'ServiceAccount').map(({ metadata }) => metadata.name);
  const all = await Promise.all(
    accounts.map((account) => accountFindings(looker, account, rightsOf(objects, account), models)),
  );
  return all.flat();
}

async function accountFindings(
  looker: Looker,
  account: string,
  rights: readonly Right[],
  models: readonly string[],
): Promise<Finding[]> {
  const { namespace, argocd } = looker;
  const seen = await looker.exists(`/api/v1/namespaces/${namespace}/serviceaccounts/${account}`);
  if ('absent' in seen)
    return [missing(account, `service account ${account} is not in namespace ${namespace}: apply the install overlay`)];
  const refused: string[] = [];
  for (const right of rights) {
    // A Role's namespace in the manifests is Argo CD's as OpenShift GitOps has it.
    const where = right.namespace === undefined ? {} : { namespace: argocd };
    const { group, resource, verb } = right;
    const answer = await mayDo(looker, account, { group, resource, verb, ...where }, models);
    if (typeof answer === 'string') return [warning(account, answer)];
    if (!answer)
      refused.push(
        `${verb} ${resource}${group === '' ? '' : `.${group}`} ${right.namespace === undefined ? 'in all namespaces' : `in ${argocd}`}`,
      );
  }
  const had = rights.length - refused.length;
  if (refused.length === 0)
    return [ok(account, rights.length === 0 ? 'needs no rights' : `has all of its ${had} rights`)];
  return refused.map((right) =>
    missing(account, `may not ${right}: apply its Role, ClusterRole and bindings (rbac.yaml of the install manifests)`),
  );
}

type Attributes = {
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
  readonly namespace?: string;
};

/** Whether an account may do something; where it should everywhere, each model's namespace will do. A sentence when nobody tells us. */
async function mayDo(
  looker: Looker,
  account: string,
  attributes: Attributes,
  models: readonly string[],
): Promise<boolean | string> {
  const answer = await review(looker, account, attributes);
  if (answer !== false || attributes.namespace !== undefined || models.length === 0) return answer;
  for (const namespace of models)
    if ((await review(looker, account, { ...attributes, namespace })) !== true) return false;
  return true;
}

async function review(looker: Looker, account: string, resourceAttributes: Attributes): Promise<boolean | string> {
  const { namespace } = looker;
  const user = `system:serviceaccount:${namespace}:${account}`;
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
  const { status, body } = await looker.post(`${REVIEWS}/subjectaccessreviews`, {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user, groups, resourceAttributes },
  });
  if (status === 201) return (body as Item).status?.['allowed'] === true;
  return `its rights cannot be asked for: ${said(status, body)}. Ask who may create subjectaccessreviews, such as a cluster administrator`;
}

/** What we ourselves may not look at, as one SelfSubjectAccessReview each: what the other checks say nothing about then. */
export async function ownFindings(looker: Looker): Promise<Finding[]> {
  const wanted: (Attributes & { what: string })[] = [
    { group: 'apps', resource: 'deployments', verb: 'list', what: 'a second installation' },
    { group: '', resource: 'namespaces', verb: 'list', what: 'labels of namespaces' },
    {
      group: 'admissionregistration.k8s.io',
      resource: 'mutatingwebhookconfigurations',
      verb: 'list',
      what: 'the webhook',
    },
    {
      group: 'argoproj.io',
      resource: 'applications',
      verb: 'list',
      namespace: looker.argocd,
      what: "the models' Applications",
    },
  ];
  const findings: Finding[] = [];
  for (const { what, ...resourceAttributes } of wanted) {
    const { status, body } = await looker.post(`${REVIEWS}/selfsubjectaccessreviews`, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes },
    });
    if (status === 201 && (body as Item).status?.['allowed'] === true) continue;
    const { verb, resource } = resourceAttributes;
    findings.push(
      warning(
        'you',
        `you may not ${verb} ${resource}, so ${what} cannot be checked: bind cluster-reader or view, or ask an administrator`,
      ),
    );
  }
  return findings;
}
