/** Kinds of batch/v1. Rules: Kubernetes, `pkg/apis/batch/v1/defaults.go`. */
import type { KubeObject } from '../../api/kubernetes.ts';
import type { StoredObject } from '../resource-type.ts';
import { ageOf } from '../table.ts';
import {
  age,
  column,
  containerImages,
  containerNames,
  integer,
  selector,
  shownSelector,
  wide,
} from './columns.ts';
import type { JsonObject, Rule } from './defaulting.ts';
import { chain, each, fill, inside, isJsonObject } from './defaulting.ts';
import { humanDuration } from './duration.ts';
import type { Kind } from './kind.ts';
import { podTemplate } from './pod-defaults.ts';
import type { TemplateValidation } from './pod-validation.ts';
import { createTemplateValidation } from './pod-validation.ts';
import { validateCronJob, validateJob } from './workload-validation.ts';

interface Job extends KubeObject {
  readonly spec?: { readonly completions?: number; readonly parallelism?: number };
  readonly status?: {
    readonly succeeded?: number;
    readonly startTime?: string;
    readonly completionTime?: string;
    readonly conditions?: readonly { readonly type?: string; readonly status?: string }[];
  };
}

interface CronJob extends KubeObject {
  readonly spec?: {
    readonly schedule?: string;
    readonly timeZone?: string;
    readonly suspend?: boolean;
    readonly jobTemplate?: { readonly spec?: JobSpec };
  };
  readonly status?: { readonly active?: readonly object[]; readonly lastScheduleTime?: string };
}

interface JobSpec {
  readonly template?: {
    readonly spec?: {
      readonly containers?: readonly { readonly name?: string; readonly image?: string }[];
    };
  };
  readonly selector?: object;
}

function jobStatus({ metadata, status }: Job): string {
  const holds = (type: string): boolean =>
    status?.conditions?.find((it) => it.type === type)?.status === 'True';
  if (holds('Complete')) return 'Complete';
  if (holds('Failed')) return 'Failed';
  if (metadata.deletionTimestamp !== undefined) return 'Terminating';
  const others = ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'];
  return others.find(holds) ?? 'Running';
}

function completionsOf({ spec, status }: Job): string {
  const { succeeded = 0 } = status ?? {};
  const { completions, parallelism = 0 } = spec ?? {};
  if (completions !== undefined) return `${succeeded}/${completions}`;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationOf({ status }: Job, nowMs: number): string {
  const { startTime, completionTime } = status ?? {};
  if (startTime === undefined) return '';
  const endMs = completionTime === undefined ? nowMs : Date.parse(completionTime);
  return humanDuration(endMs - Date.parse(startTime));
}

/** What only Jobs get, and templates of Jobs do not. */
const jobSpec: Rule = chain(
  (value) =>
    isJsonObject(value) && value['completions'] === undefined && value['parallelism'] === undefined
      ? { ...value, completions: 1, parallelism: 1 }
      : value,
  inside({
    parallelism: fill(1),
    backoffLimit: (value, { backoffLimitPerIndex }) =>
      value ?? (backoffLimitPerIndex === undefined ? 6 : 2 ** 31 - 1),
    completionMode: fill('NonIndexed'),
    suspend: fill(false),
    podReplacementPolicy: (value, { podFailurePolicy }) =>
      value ?? (podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed'),
    manualSelector: fill(false),
  }),
);

const failurePolicy = inside({
  rules: each(inside({ onPodConditions: each(inside({ status: fill('True') })) })),
});

const withTemplate = (template: Rule): Rule =>
  inside({ template, podFailurePolicy: failurePolicy });

/** A Job without labels takes those of its template. */
function labelled(object: StoredObject): StoredObject {
  const { labels = {} } = object.metadata;
  const spec = isJsonObject(object.spec) ? object.spec : {};
  const template = isJsonObject(spec['template']) ? spec['template'] : {};
  const metadata = isJsonObject(template['metadata']) ? template['metadata'] : {};
  const own = metadata['labels'];
  if (Object.keys(labels).length > 0 || !isJsonObject(own)) return object;
  return { ...object, metadata: { ...object.metadata, labels: own as Record<string, string> } };
}

/** By which a Job knows its pods: its UID, unless its user says otherwise. */
function selecting(object: StoredObject): StoredObject {
  const spec: JsonObject = isJsonObject(object.spec) ? object.spec : {};
  if (spec['manualSelector'] === true) return object;
  const { uid = '', name } = object.metadata;
  const template = isJsonObject(spec['template']) ? spec['template'] : {};
  const metadata = isJsonObject(template['metadata']) ? template['metadata'] : {};
  const labels = {
    ...(isJsonObject(metadata['labels']) ? metadata['labels'] : {}),
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  };
  return {
    ...object,
    spec: {
      ...spec,
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } },
      template: { ...template, metadata: { ...metadata, labels } },
    },
  };
}

const batch = { group: 'batch', version: 'v1', hasStatus: true, categories: ['all'] } as const;

const job = (template: Rule, templates: TemplateValidation): Kind => ({
  validate: validateJob(templates),
  ...batch,
  definition: 'io.k8s.api.batch.v1.Job',
  kind: 'Job',
  plural: 'jobs',
  selectableFields: ['status.successful'],
  columns: [
    column<Job>('Status', jobStatus),
    column<Job>('Completions', completionsOf),
    column<Job>('Duration', durationOf),
    age,
    containerNames,
    containerImages,
    selector,
  ],
  defaults: { spec: chain(withTemplate(template), jobSpec) },
  prepare: (object, before) => (before === undefined ? labelled(selecting(object)) : object),
});

const containersOf = ({ spec }: CronJob) => spec?.jobTemplate?.spec?.template?.spec?.containers;

const cronJob = (template: Rule, templates: TemplateValidation): Kind => ({
  validate: validateCronJob(templates),
  ...batch,
  definition: 'io.k8s.api.batch.v1.CronJob',
  kind: 'CronJob',
  plural: 'cronjobs',
  shortNames: ['cj'],
  columns: [
    column<CronJob>('Schedule', ({ spec }) => spec?.schedule ?? ''),
    column<CronJob>('Timezone', ({ spec }) => spec?.timeZone ?? '<none>'),
    column<CronJob>('Suspend', ({ spec }) => (spec?.suspend === true ? 'True' : 'False'), {
      type: 'boolean',
    }),
    column<CronJob>('Active', ({ status }) => status?.active?.length ?? 0, integer),
    column<CronJob>('Last Schedule', ({ status }, nowMs) =>
      status?.lastScheduleTime === undefined ? '<none>' : ageOf(status.lastScheduleTime, nowMs),
    ),
    age,
    column<CronJob>('Containers', (it) => join(containersOf(it)?.map(({ name }) => name)), wide),
    column<CronJob>('Images', (it) => join(containersOf(it)?.map(({ image }) => image)), wide),
    column<CronJob>(
      'Selector',
      ({ spec }) => shownSelector(spec?.jobTemplate?.spec?.selector),
      wide,
    ),
  ],
  defaults: {
    spec: inside({
      jobTemplate: inside({ spec: withTemplate(template) }),
      concurrencyPolicy: fill('Allow'),
      suspend: fill(false),
      successfulJobsHistoryLimit: fill(3),
      failedJobsHistoryLimit: fill(1),
    }),
  },
});

const join = (texts: readonly (string | undefined)[] = []): string =>
  texts.map((it) => it ?? '').join(',');

export function batchKinds(): readonly Kind[] {
  const template = podTemplate();
  const templates = createTemplateValidation();
  return [job(template, templates), cronJob(template, templates)];
}
