/** In which form an answer is wanted (RFC 9110, 12.5.1; Kubernetes API concepts, "Receiving resources as Tables"). */
import { StatusError } from './status-error.ts';

export type Form = 'Object' | 'Table' | 'PartialObjectMetadata';

/** The first of the accepted forms that there is. Throws a `StatusError` (406) where there is none. */
export function formOf(accept: string | undefined): Form {
  if (accept === undefined || accept.trim() === '') return 'Object';
  for (const choice of accept.split(',')) {
    const [type = '', ...parameters] = choice.split(';').map((it) => it.trim());
    if (!['application/json', 'application/*', '*/*'].includes(type)) continue;
    const as = parameters.find((it) => it.startsWith('as='))?.slice(3);
    if (as === undefined) return 'Object';
    if (as === 'Table') return 'Table';
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') {
      return 'PartialObjectMetadata';
    }
  }
  throw new StatusError('only the following media types are accepted: application/json', {
    code: 406,
    reason: 'NotAcceptable',
  });
}
