/**
 * The kinds of other operators that we ship, as far as we use them, after their published APIs. A field that is not here is
 * refused: before using a new one, look it up and add it.
 */
export type Foreign = {
  'route.openshift.io/v1 Route': Route;
  'gateway.networking.k8s.io/v1 HTTPRoute': HTTPRoute;
  'keda.sh/v1alpha1 ScaledObject': ScaledObject;
  'keda.sh/v1alpha1 TriggerAuthentication': TriggerAuthentication;
  'cert-manager.io/v1 Issuer': Issuer;
  'cert-manager.io/v1 Certificate': Certificate;
  'external-secrets.io/v1 ExternalSecret': ExternalSecret;
  'bitnami.com/v1alpha1 SealedSecret': SealedSecret;
  'argoproj.io/v1beta1 ArgoCD': ArgoCD;
  'argoproj.io/v1alpha1 NotificationsConfiguration': NotificationsConfiguration;
};

type Named = {
  name: string;
  namespace?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
};
type Of<Api extends string, Kind extends string, Spec> = { apiVersion: Api; kind: Kind; metadata: Named; spec: Spec };

type Route = Of<
  'route.openshift.io/v1',
  'Route',
  {
    host?: string;
    path?: string;
    to: Backend;
    alternateBackends?: Backend[];
    port?: { targetPort: string | number };
    tls?: {
      termination: 'edge' | 'passthrough' | 'reencrypt';
      insecureEdgeTerminationPolicy?: 'Allow' | 'None' | 'Redirect';
    };
    wildcardPolicy?: 'None' | 'Subdomain';
  }
>;

type Backend = { kind: 'Service'; name: string; weight?: number };

type HTTPRoute = Of<
  'gateway.networking.k8s.io/v1',
  'HTTPRoute',
  {
    hostnames?: string[];
    parentRefs?: { name: string; namespace?: string; sectionName?: string }[];
    rules?: {
      backendRefs?: { name: string; port: number; weight?: number }[];
      matches?: { path?: { type: 'Exact' | 'PathPrefix' | 'RegularExpression'; value: string } }[];
      timeouts?: { request?: string; backendRequest?: string };
    }[];
  }
>;

type ScaledObject = Of<
  'keda.sh/v1alpha1',
  'ScaledObject',
  {
    scaleTargetRef: { apiVersion?: string; kind?: string; name: string };
    minReplicaCount?: number;
    maxReplicaCount?: number;
    pollingInterval?: number;
    cooldownPeriod?: number;
    fallback?: { failureThreshold: number; replicas: number };
    triggers: {
      type: 'redis';
      /** KEDA takes texts alone. */
      metadata: { address: string; listName: string; listLength: string; enableTLS?: 'true' | 'false' };
      authenticationRef?: { name: string };
    }[];
  }
>;
type TriggerAuthentication = Of<
  'keda.sh/v1alpha1',
  'TriggerAuthentication',
  { secretTargetRef: { parameter: string; name: string; key: string }[] }
>;

type Issuer = Of<
  'cert-manager.io/v1',
  'Issuer',
  { selfSigned: Record<string, never> } | { ca: { secretName: string } }
>;
type Certificate = Of<
  'cert-manager.io/v1',
  'Certificate',
  {
    secretName: string;
    isCA?: boolean;
    commonName?: string;
    dnsNames?: string[];
    duration?: string;
    renewBefore?: string;
    privateKey?: { algorithm: 'ECDSA' | 'RSA' | 'Ed25519'; size?: number; rotationPolicy?: 'Always' | 'Never' };
    issuerRef: { name: string; kind?: string; group?: string };
  }
>;

type ExternalSecret = Of<
  'external-secrets.io/v1',
  'ExternalSecret',
  {
    refreshInterval?: string;
    secretStoreRef: { kind: 'ClusterSecretStore' | 'SecretStore'; name: string };
    target: { name: string; creationPolicy?: 'Merge' | 'None' | 'Orphan' | 'Owner' };
    data: { secretKey: string; remoteRef: { key: string; property?: string } }[];
  }
>;
type SealedSecret = Of<
  'bitnami.com/v1alpha1',
  'SealedSecret',
  { encryptedData: Record<string, string>; template?: { metadata?: Named; type?: string } }
>;

type ArgoCD = Of<
  'argoproj.io/v1beta1',
  'ArgoCD',
  {
    applicationSet?: { enabled?: boolean };
    notifications?: { enabled?: boolean };
    resourceTrackingMethod?: 'annotation' | 'annotation+label' | 'label';
    resourceIgnoreDifferences?: {
      all?: Ignored;
      resourceIdentifiers?: { group?: string; kind: string; customization: Ignored }[];
    };
    resourceHealthChecks?: { group?: string; kind: string; check: string }[];
    extraConfig?: Record<string, string>;
  }
>;
type NotificationsConfiguration = Of<
  'argoproj.io/v1alpha1',
  'NotificationsConfiguration',
  {
    services?: Record<string, string>;
    templates?: Record<string, string>;
    triggers?: Record<string, string>;
    subscriptions?: Record<string, string>;
    context?: Record<string, string>;
  }
>;
type Ignored = { jsonPointers?: string[]; jqPathExpressions?: string[]; managedFieldsManagers?: string[] };
