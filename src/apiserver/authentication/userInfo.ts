/** A user as objects of the API name one. */
import type { UserInfo } from '../../apis/authentication/userInfo.ts';
import type { User } from '../user.ts';

export function infoOf(user: User): UserInfo {
  return {
    username: user.name,
    ...(user.uid === undefined ? {} : { uid: user.uid }),
    groups: [...user.groups],
    ...(user.extra === undefined
      ? {}
      : { extra: Object.fromEntries(Object.entries(user.extra).map(([key, values]) => [key, [...values]])) }),
  };
}
