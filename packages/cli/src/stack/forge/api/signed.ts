import { refuse } from '../../web/http.ts';
import type { Call, Reply, Route } from '../../web/router.ts';
import { type Forge, type Repository, repositoryOf } from '../forge.ts';
import type { User } from '../users.ts';

/** What a route that needs a user gets. `repository` is the one of the path; reading it on a path without one is a 404. */
export type SignedCall = {
  readonly user: User;
  readonly call: Call;
  readonly params: Call['params'];
  readonly repository: Repository;
};
export type Signed = (answer: (signed: SignedCall) => Promise<Reply> | Reply) => Route['answer'];

/** Wraps routes that need a user: 401 without a token. (Wrong credentials are refused before any route, reading ones too.) */
export function signedBy(forge: Forge): Signed {
  return (answer) => (call) => {
    const user = forge.users.authenticate(call.request.headers.authorization);
    if (user === 'anonymous' || user === 'wrong') return refuse(401, 'token is required');
    const { params } = call;
    return answer({
      user,
      call,
      params,
      get repository() {
        return repositoryOf(forge, params['owner'], params['repo']);
      },
    });
  };
}
