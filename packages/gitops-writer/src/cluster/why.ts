/** Why a server was not reached, by the code of Node's error: what is wrong and how to mend it. */
const WHY: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there: is the cluster up, and is the address the right one?',
  ECONNRESET: 'the connection was cut: is there a proxy or a load balancer that ends it?',
  ENOTFOUND: 'its name is not known here: look at the address, the DNS and the VPN',
  EAI_AGAIN: 'no DNS server answers: look at the network and the VPN',
  EHOSTUNREACH: 'no way leads there: look at the network and the VPN',
  ENETUNREACH: 'no way leads there: look at the network and the VPN',
  ETIMEDOUT: 'it does not answer in time: look at the network, the VPN and firewalls',
  CERT_HAS_EXPIRED: "its certificate has expired: renew the API server's certificate, or set this clock right",
  CERT_NOT_YET_VALID: 'its certificate is not valid yet: compare the clocks',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is not signed by an authority that the kubeconfig names',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not signed by an authority that the kubeconfig names',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not signed by an authority that the kubeconfig names',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is not signed by an authority that the kubeconfig names',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name: use an address that is in it',
};

/** The reason of a failed request; undefined for a code that says nothing to a person. */
export function whyUnreachable(error: unknown): string | undefined {
  const { code, errno, cause } = error as { code?: unknown; errno?: unknown; cause?: unknown };
  for (const one of [code, errno]) if (typeof one === 'string' && one in WHY) return WHY[one];
  return cause === undefined ? undefined : whyUnreachable(cause);
}
