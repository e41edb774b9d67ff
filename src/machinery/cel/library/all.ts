/** Every function that expressions may call. */
import type { Overload } from '../overload.ts';
import { conversions } from './conversions.ts';
import { formats } from './formats.ts';
import { lists } from './lists.ts';
import { math } from './math.ts';
import { network } from './network.ts';
import { operators } from './operators.ts';
import { optionals } from './optionals.ts';
import { quantities } from './quantities.ts';
import { regularExpressions } from './regularExpressions.ts';
import { semver } from './semver.ts';
import { sets } from './sets.ts';
import { strings } from './strings.ts';
import { times } from './times.ts';
import { urls } from './urls.ts';

export const standardOverloads: readonly Overload[] = [
  ...operators,
  ...conversions,
  ...times,
  ...strings,
  ...lists,
  ...sets,
  ...math,
  ...regularExpressions,
  ...optionals,
  ...urls,
  ...network,
  ...quantities,
  ...semver,
  ...formats,
];
