import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useRouter } from "@tanstack/react-router";
import { useState } from "react";

import { signIn, type Credentials } from "../../api/session";
import { Button, Field } from "../../ui/controls";
import { ProblemBox } from "../../ui/states";
import { Gate } from "./Gate";
import { signIn as route } from "./routes";

export function SignIn() {
  const { next = "/" } = route.useSearch();
  const client = useQueryClient();
  const navigate = useNavigate();
  const router = useRouter();
  const [given, setGiven] = useState<Credentials>({
    workspace: remembered(),
    email: "",
    password: "",
  });
  const asking = useMutation({
    mutationFn: () => signIn(client, given),
    onSuccess: async () => {
      remember(given.workspace);
      await router.invalidate();
      await navigate({ href: next });
    },
  });
  const set = (name: keyof Credentials) => (event: { target: { value: string } }) =>
    setGiven({ ...given, [name]: event.target.value });
  return (
    <Gate title="Sign in" about="With the address that you were invited by.">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          asking.mutate();
        }}
      >
        {asking.error && <ProblemBox error={asking.error} />}
        <Field
          label="E-mail"
          type="text"
          inputMode="email"
          autoComplete="username"
          autoFocus
          required
          value={given.email}
          onChange={set("email")}
        />
        <Field
          label="Password"
          type="password"
          autoComplete="current-password"
          required
          value={given.password}
          onChange={set("password")}
        />
        <Field
          label="Workspace"
          required
          autoComplete="organization"
          autoCapitalize="none"
          spellCheck={false}
          value={given.workspace}
          onChange={set("workspace")}
        />
        <Button type="submit" kind="primary" busy={asking.isPending}>
          Sign in
        </Button>
      </form>
      <p className="dim">
        No password any more? An owner invites you again, or on the machine:{" "}
        <code>glaze members set-password</code>.
      </p>
    </Gate>
  );
}

function remembered(): string {
  try {
    return localStorage.getItem("workspace") ?? "default";
  } catch {
    return "default"; // no storage
  }
}

function remember(workspace: string): void {
  try {
    localStorage.setItem("workspace", workspace);
  } catch {
    // no storage: it is typed again next time
  }
}
