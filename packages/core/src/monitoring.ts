/** A value of one input variable. Absent, null and NaN all mean missing to a profile. */
export type Scalar = number | string | boolean | null;

/** How the model version behind a prediction was learned: TF Serving's REST answers do not say it, those of gRPC do. */
export type VersionSource = 'url' | 'label' | 'answer' | 'status' | 'ambiguous';

/** One scored instance. */
export type PredictionRecord = {
  /** `<exchange id>-<index of the instance>`; the caller learns the exchange id from the `x-fairway-id` header. */
  readonly id: string;
  readonly model: string;
  readonly version: string;
  readonly versionSource: VersionSource;
  readonly environment: string;
  /** Business time of the prediction, RFC 3339 UTC; decides hour and window. */
  readonly time: string;
  readonly inputs: Readonly<Record<string, Scalar>>;
  readonly outputs: Readonly<Record<string, Scalar>>;
  readonly latencyMs: number;
  readonly status: number;
  readonly correlationId?: string;
};

/**
 * A late label for a prediction id or a correlation id: 0 or 1, the true value where the model predicts a number, name or index of
 * the true class where it predicts one of several.
 */
export type GroundTruth = { readonly id: string; readonly label: number | string; readonly observedAt?: string };

/** Reference bins and counts of one variable. Numeric bins are right-closed on `edges`; see {@link binOf}. */
export type VariableBaseline =
  | {
      readonly kind: 'numeric';
      readonly name: string;
      /** Ascending distinct inner edges (deciles, R type 7), full double precision. `edges.length + 1` bins. */
      readonly edges: readonly number[];
      readonly counts: readonly number[];
      readonly n: number;
      readonly missing: number;
      readonly mean: number;
      readonly std: number;
      readonly min: number;
      readonly max: number;
    }
  | {
      readonly kind: 'category';
      readonly name: string;
      /** Trimmed categories in sorted order; one bin each, then one bin for every other value. */
      readonly categories: readonly string[];
      readonly counts: readonly number[];
      readonly n: number;
      readonly missing: number;
    };

/** Reference profile of a ModelVersion, from its training data. Stored in Git beside the manifests. */
export type Baseline = {
  readonly definition: 1;
  readonly model: string;
  readonly version: string;
  readonly rows: number;
  readonly events: number;
  /** sha256 of the data it was taken from, hex. */
  readonly source: string;
  readonly variables: readonly VariableBaseline[];
  /** Performance on held-out rows: what decay is measured against. */
  readonly performance: { readonly auc: number; readonly ks: number; readonly rows: number; readonly events: number };
  /**
   * Never in a committed baseline: the window whose labelled rows stand for held-out ones, where the training data held none.
   */
  readonly performanceFrom?: string;
  /** Held-out score counts at 1e-4: `[score bin, non-events, events]`, ascending. */
  readonly scores: ReadonlyArray<readonly [number, number, number]>;
  /** Inputs, four at most, in whose bins, and in those of two of them, the recorder counts scores and labels too. */
  readonly segments?: readonly string[];
  /** Of a model that predicts a number. */
  readonly regression?: RegressionBaseline;
  /** Of a model that predicts one of several classes. */
  readonly classification?: ClassBaseline;
};

/** The classes of a model that predicts one of several, and what it said of the rows of the baseline. */
export type ClassBaseline = {
  /** Names in the order of the model's own indices. */
  readonly classes: readonly string[];
  /** Outputs that hold the probabilities, class by class; without, they are in one output as a list, or not known. */
  readonly columns: readonly string[];
  /** Rows of the baseline by predicted class; all 0 where it holds no predictions. */
  readonly predicted: readonly number[];
  /** Counts of its labelled, scored rows, in the form of a window's (`$class/…`): what decay is measured against. */
  readonly heldOut: Readonly<Record<string, ReadonlyArray<readonly [bin: number, count: number]>>>;
};

/** Reference bins of the predicted number, under the name of its output, and errors on held-out rows (`rows` 0: not known). */
export type RegressionBaseline = {
  readonly prediction: Extract<VariableBaseline, { kind: 'numeric' }>;
  readonly performance: {
    readonly rows: number;
    readonly mae: number;
    readonly rmse: number;
    readonly rSquared: number;
  };
};

/**
 * One cell of a Profile: a count in one bin of one variable in one hour. `bin` -1 = missing, -2 = not a finite number; beside
 * the bin of the value itself, -3 and -4 = below and above what the baseline has seen.
 */
export type ProfileCount = {
  readonly model: string;
  readonly version: string;
  readonly environment: string;
  /** Start of the hour, RFC 3339 UTC. */
  readonly hour: string;
  readonly variable: string;
  readonly bin: number;
  readonly count: number;
};

/** A closed half-open period `[start, end)` in UTC that a check looks at. */
export type Window = {
  readonly model: string;
  readonly version: string;
  readonly environment: string;
  /** e.g. `2026Q3`, `2026-11`, `2026-11-22`, `2026-11-22T10`. */
  readonly period: string;
  readonly start: string;
  readonly end: string;
};

export type VerdictState = 'healthy' | 'warning' | 'alert' | 'insufficient';

/** One breached rule. */
export type Finding = {
  readonly rule: string;
  readonly metric: string;
  readonly variable?: string;
  readonly value: number;
  readonly limit: number;
  readonly op: '>' | '>=' | '<' | '<=';
  /** Level the metric reaches by chance at this sample size, when the metric has one. */
  readonly noise?: number;
  /** Probability of such a value by chance, where the rule asks for it. */
  readonly p?: number;
  /** The rule was breached before and stands until the value is milder than this. */
  readonly leave?: number;
  /** Where `value` is a difference: what lies between the figure and what it was held against. */
  readonly compared?: Compared;
  readonly sample: number;
  readonly severity: 'warning' | 'alert';
  /** The finding in one sentence for a person. */
  readonly message: string;
};

/** `against`: the same figure of held-out rows (a loss), or of the whole window (a segment). */
export type Compared = {
  readonly as: 'relative-decay' | 'absolute-decay' | 'segment';
  readonly figure: number;
  readonly against: number;
};

/** Rules that a window could not be held against, and why, for a person. */
export type Unanswered = {
  readonly rules: readonly string[];
  /** Too few rows; too few labels, events or non-events; no figure in the counts; nothing to measure a loss from. */
  readonly lacks: 'rows' | 'labels' | 'figure' | 'reference';
  readonly reason: string;
};

/** The figures of one window, all from counts. null = cannot be known from this window (one class only, no labels…). */
export type WindowMetrics = {
  readonly predictions: number;
  readonly labelled: number;
  readonly events: number;
  readonly auc: number | null;
  readonly aucInterval: readonly [number, number] | null;
  readonly ks: number | null;
  readonly gini: number | null;
  readonly meanScore: number | null;
  readonly eventRate: number | null;
  readonly brier: number | null;
  /** Missing left out, floor 1e-4, natural logarithm. */
  readonly psi: Readonly<Record<string, number | null>>;
  readonly psiWithMissing: Readonly<Record<string, number | null>>;
  readonly missing: Readonly<Record<string, number>>;
  readonly scorePsi: number | null;
  /** Of a model that predicts a number. */
  readonly regression?: {
    readonly mae: number | null;
    readonly rmse: number | null;
    readonly rSquared: number | null;
    readonly predictionPsi: number | null;
    readonly predictionDrift: number | null;
  };
  /** Of a model that predicts one of several classes. */
  readonly classification?: {
    readonly accuracy: number | null;
    readonly balancedAccuracy: number | null;
    readonly macroF1: number | null;
    readonly kappa: number | null;
    readonly logLoss: number | null;
    readonly classPsi: number | null;
    /** By class. */
    readonly recall: Readonly<Record<string, number | null>>;
    /** Each class against the others, and their mean; absent where probabilities were not counted by class. */
    readonly macroAuc?: number | null;
    readonly auc?: Readonly<Record<string, number | null>>;
  };
};

/** Rows with one bin of one input, or of two, by themselves. */
export type Segment = {
  /** Bin by input. */
  readonly where: Readonly<Record<string, string>>;
  readonly labelled: number;
  readonly eventRate: number | null;
  readonly metric: 'auc' | 'mae' | 'calibration' | 'accuracy';
  readonly value: number;
  /** 95 %, of this segment alone. */
  readonly interval: readonly [low: number, high: number];
  /** The same figure of the whole window. */
  readonly overall: number;
};

/** The outcome of a policy on a window. Same counts + same policy bytes = same verdict, byte for byte. */
export type Verdict = {
  readonly id: string;
  readonly window: Window;
  readonly state: VerdictState;
  readonly metrics: WindowMetrics;
  readonly findings: readonly Finding[];
  /** Absent where every rule could be evaluated, and in verdicts of before. */
  readonly unanswered?: readonly Unanswered[];
  /** Where the policy asks for segments: those that do worst, more than by chance. */
  readonly segments?: readonly Segment[];
  /** Git blob id of the policy file. */
  readonly policy: string;
  /** sha256 over the canonical counts the verdict was made from, hex. */
  readonly counts: string;
  readonly judgedAt: string;
};

/** Immutable on-field data for a retraining. */
export type Snapshot = {
  readonly id: string;
  readonly model: string;
  readonly version: string;
  readonly environment: string;
  /** File name below the snapshot volume, gzip'd CSV with a header line. */
  readonly file: string;
  readonly query: string;
  readonly start: string;
  readonly end: string;
  readonly rows: number;
  readonly labels: number;
  readonly events: number;
  readonly columns: ReadonlyArray<{ readonly name: string; readonly type: 'number' | 'string' | 'timestamp' }>;
  /** sha256 of the uncompressed CSV bytes, hex. */
  readonly sha256: string;
  readonly createdAt: string;
};

/** One thing that moved against the baseline. */
export type Movement = {
  readonly kind: 'inputs' | 'scores' | 'labels' | 'calibration' | 'relation';
  readonly variable?: string;
  readonly metric: string;
  readonly value: number;
  /** The same figure in the window before, where it had moved there too. */
  readonly before: number | null;
  /** In steps of its kind (a PSI of 0.1, a fifth of the event rate, a twentieth of the AUC). */
  readonly strength: number;
  /** Of all strengths of the window, 0 to 1. */
  readonly share: number;
  /** For a person. */
  readonly sentence: string;
};

/** A picture that stands by itself: SVG text without scripts and without references to the outside. */
export type EvidenceChart = { readonly name: string; readonly title: string; readonly svg: string };

/** What the monitor asks of the writer's one door (`POST /v1/changes`). */
export type RetrainRequest = {
  readonly kind: 'retrain';
  readonly model: string;
  readonly version: string;
  readonly environment: string;
  /** model + version + rules + period; the same key is the same change. */
  readonly dedupeKey: string;
  readonly actor: string;
  readonly verdict: Verdict;
  readonly snapshot: Snapshot;
  /** Earlier windows of the same version, oldest first, for the report's table. */
  readonly windows: readonly Verdict[];
  /** What moved in the verdict's window, strongest first. */
  readonly moved?: readonly Movement[];
  readonly charts?: readonly EvidenceChart[];
};
