import { type Infer, list, map, object, opt, str } from '../../machinery/schema/types.ts';

export const UserInfo = object('io.k8s.api.authentication.v1.UserInfo', () => ({
  username: opt(1, str),
  uid: opt(2, str),
  groups: opt(3, list(str)),
  extra: opt(4, map(list(str))),
}));
export interface UserInfo extends Infer<typeof UserInfo> {}
