/** An invitation's own page: `/app/welcome#token=...&email=...`.
 *
 * What stands behind # is sent to no server; it is taken out of the history before anything else.
 */

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useRouter } from "@tanstack/react-router";
import { useState } from "react";

import { accept } from "../../api/session";
import { Button, Field } from "../../ui/controls";
import { ProblemBox } from "../../ui/states";
import { Gate } from "./Gate";

const SHORTEST = 12;

function taken(): { token: string; email: string } {
  const given = new URLSearchParams(location.hash.slice(1));
  if (given.has("token")) history.replaceState(history.state, "", location.pathname);
  return { token: given.get("token") ?? "", email: given.get("email") ?? "" };
}

export function Welcome() {
  const [invited] = useState(taken);
  const [password, setPassword] = useState("");
  const client = useQueryClient();
  const navigate = useNavigate();
  const router = useRouter();
  const asking = useMutation({
    mutationFn: () => accept(client, invited.token, password),
    onSuccess: async () => {
      await router.invalidate();
      await navigate({ to: "/" });
    },
  });
  if (!invited.token) {
    return (
      <Gate title="Welcome" about="An invitation is opened by its link, which was shown once.">
        <p>
          <Link to="/sign-in">Sign in</Link>
        </p>
      </Gate>
    );
  }
  return (
    <Gate title="Welcome to Glaze" about="Choose a password, and you are in.">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          asking.mutate();
        }}
      >
        {asking.error && <ProblemBox error={asking.error} />}
        {invited.email && (
          <Field
            label="You sign in as"
            type="text"
            autoComplete="username"
            readOnly
            value={invited.email}
          />
        )}
        <Field
          label="Password"
          hint={`At least ${SHORTEST} characters. Several words do well.`}
          type="password"
          autoComplete="new-password"
          autoFocus
          required
          minLength={SHORTEST}
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
        <Button type="submit" kind="primary" busy={asking.isPending}>
          Begin
        </Button>
      </form>
    </Gate>
  );
}
