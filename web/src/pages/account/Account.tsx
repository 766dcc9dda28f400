/** Who has signed in: password and sessions. */

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { changePassword, signOut, useSession } from "../../api/session";
import { Button, Field } from "../../ui/controls";
import { confirm } from "../../ui/dialog";
import { Badge, PageHead, Panel } from "../../ui/layout";
import { ProblemBox } from "../../ui/states";
import { toast, toastError } from "../../ui/toast";

export function Account() {
  const session = useSession();
  return (
    <div className="page narrow">
      <PageHead
        title="Account"
        about={
          <>
            {session.email} in {session.workspace} <Badge>{session.role}</Badge>
          </>
        }
      />
      <Password />
      <Sessions />
    </div>
  );
}

function Password() {
  const empty = { current: "", new: "" };
  const { email } = useSession();
  const client = useQueryClient();
  const [given, setGiven] = useState(empty);
  const changing = useMutation({
    mutationFn: () => changePassword(client, given),
    onSuccess: () => {
      setGiven(empty);
      toast({ text: "The password is changed. Other sessions have ended." });
    },
  });
  return (
    <Panel title="Password">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          changing.mutate();
        }}
      >
        {changing.error && <ProblemBox error={changing.error} />}
        <input type="text" autoComplete="username" value={email} readOnly hidden />
        <Field
          label="Current password"
          type="password"
          autoComplete="current-password"
          required
          value={given.current}
          onChange={(event) => setGiven({ ...given, current: event.target.value })}
        />
        <Field
          label="New password"
          hint="At least 12 characters. Every other session ends."
          type="password"
          autoComplete="new-password"
          required
          minLength={12}
          value={given.new}
          onChange={(event) => setGiven({ ...given, new: event.target.value })}
        />
        <div>
          <Button type="submit" kind="primary" busy={changing.isPending}>
            Change password
          </Button>
        </div>
      </form>
    </Panel>
  );
}

function Sessions() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const leaving = useMutation({
    mutationFn: () => signOut(client, true),
    onSuccess: () => navigate({ to: "/sign-in" }),
    onError: toastError,
  });
  async function leave() {
    const agreed = await confirm({
      title: "Sign out everywhere?",
      body: "Every browser that is signed in as you is signed out, this one too.",
      action: "Sign out everywhere",
      danger: true,
    });
    if (agreed) leaving.mutate();
  }
  return (
    <Panel title="Sessions">
      <div className="stack">
        <p className="dim">A lost laptop, a shared screen: end every session at once.</p>
        <Button icon="out" busy={leaving.isPending} onClick={() => void leave()}>
          Sign out everywhere
        </Button>
      </div>
    </Panel>
  );
}
